"""Addresses of the platform's additions, under /platform/."""

from django.urls import path

from platform_api.views import CancelOrder, OneOrder, OrdersOfBasket, ProductsBySku

urlpatterns = [
    path("products/", ProductsBySku.as_view(), name="platform-products"),
    path("orders/", OrdersOfBasket.as_view(), name="platform-orders"),
    path("orders/<str:number>/", OneOrder.as_view(), name="platform-order"),
    path("orders/<str:number>/cancel/", CancelOrder.as_view(), name="platform-order-cancel"),
]
