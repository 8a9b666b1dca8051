"""Look-ups and cancelling for the platform's account (Basic authentication, permissions on orders).

An order is shown with the reference that the platform left in the delivery notes. Cancelling twice
gives the same answer; an order on its way can no longer be cancelled (409).
"""

from django.db import transaction
from django.shortcuts import get_object_or_404
from oscar.core.loading import get_class, get_model
from rest_framework import permissions, status, views
from rest_framework.response import Response
from rest_framework.reverse import reverse

Order = get_model("order", "Order")
Product = get_model("catalogue", "Product")
EventHandler = get_class("order.processing", "EventHandler")
InvalidOrderStatus = get_class("order.exceptions", "InvalidOrderStatus")

MOST_SKUS = 200


class MayHandleOrders(permissions.IsAuthenticated):
    """The account holds Oscar's permission to change orders."""

    def has_permission(self, request, view):
        """Signed in, and with the permission that the group of platforms has."""
        return super().has_permission(request, view) and request.user.has_perm("order.change_order")


class PlatformView(views.APIView):
    """Base of the views that only the platform may call."""

    permission_classes = (MayHandleOrders,)


def order_json(order):
    """The order as the platform reads it. Amounts are decimals with VAT."""
    return {
        "number": order.number,
        "basket": order.basket_id,
        "status": order.status,
        "currency": order.currency,
        "total_incl_tax": str(order.total_incl_tax),
        "shipping_incl_tax": str(order.shipping_incl_tax),
        "shipping_code": order.shipping_code,
        "date_placed": order.date_placed.isoformat(),
        "notes": order.shipping_address.notes if order.shipping_address else "",
        "lines": [
            {
                "sku": line.partner_sku,
                "quantity": line.quantity,
                "price_incl_tax": str(line.line_price_incl_tax),
                "status": line.status,
            }
            for line in order.lines.all()
        ],
    }


class ProductsBySku(PlatformView):
    """GET ?sku=A&sku=B -> the API address of each product that the shop has under that number."""

    def get(self, request):
        """Unknown numbers are left out of the answer."""
        skus = request.query_params.getlist("sku")[:MOST_SKUS]
        found = Product.objects.filter(stockrecords__partner_sku__in=skus, is_public=True)
        return Response(
            [
                {
                    "sku": sku,
                    "product": reverse("product-detail", args=[pk], request=request),
                }
                for pk, sku in found.values_list("pk", "stockrecords__partner_sku")
            ]
        )


class OrdersOfBasket(PlatformView):
    """GET ?basket=7 -> the orders made from a basket: none or one."""

    def get(self, request):
        """An empty list says that no order exists. 400 without a basket number."""
        basket = request.query_params.get("basket", "")
        if not (basket.isascii() and basket.isdigit()):
            return Response({"reason": "basket number missing"}, status.HTTP_400_BAD_REQUEST)
        orders = Order.objects.filter(basket_id=int(basket)).prefetch_related("lines")
        return Response([order_json(order) for order in orders])


class OneOrder(PlatformView):
    """GET -> one order by its number."""

    def get(self, _request, number):
        """404 where the shop has no such order."""
        return Response(order_json(get_object_or_404(Order, number=number)))


class CancelOrder(PlatformView):
    """POST {"reason"} -> cancels and gives the stock back."""

    def post(self, request, number):
        """The order after cancelling; 409 once it is on its way."""
        reason = str(request.data.get("reason", ""))[:500]
        with transaction.atomic():
            order = get_object_or_404(Order.objects.select_for_update(), number=number)
            if order.status == "Cancelled":
                return Response(order_json(order))
            handler = EventHandler(request.user)
            if "Cancelled" not in order.available_statuses():
                return Response(
                    {"reason": f"an order that is {order.status} cannot be cancelled"},
                    status.HTTP_409_CONFLICT,
                )
            handler.cancel_stock_allocations(order)
            handler.handle_order_status_change(order, "Cancelled", note_msg=reason or None)
        return Response(order_json(order))
