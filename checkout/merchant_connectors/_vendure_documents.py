"""The GraphQL documents of the Vendure connector. All values travel as variables.

Fields of a mutation are carried out in their order, and an error in one keeps back those after it.
"""

from __future__ import annotations

from checkout.merchant_connectors.port import Destination, OrderRequest

_ORDER = """
fragment Whole on Order {
  id code state currencyCode subTotalWithTax totalWithTax orderPlacedAt
  customFields { externalRef }
  payments { amount }
  lines { id quantity discountedUnitPriceWithTax productVariant { sku } }
}"""

_ADDED = "... on Order { id } ... on ErrorResult { errorCode message }" + (
    " ... on InsufficientStockError { quantityAvailable }"
)

VARIANTS = """
query ($skus: [String!]!, $most: Int!) {
  productVariants(options: {filter: {sku: {in: $skus}}, sort: {id: ASC}, take: $most}) {
    items {
      id sku enabled priceWithTax currencyCode product { enabled }
      trackInventory outOfStockThreshold useGlobalOutOfStockThreshold
      stockLevels { stockOnHand stockAllocated }
    }
  }
}"""

CREATE_DRAFT = "mutation { draft: createDraftOrder { id } }"

DELETE_DRAFT = "mutation ($order: ID!) { deleteDraftOrder(orderId: $order) { result } }"

SET_ADDRESS = (
    """
mutation ($order: ID!, $address: CreateAddressInput!) {
  order: setDraftOrderShippingAddress(orderId: $order, input: $address) { ...Whole }
}"""
    + _ORDER
)

SHIPPING_METHODS = """
query ($order: ID!) {
  methods: eligibleShippingMethodsForDraftOrder(orderId: $order) {
    id code name priceWithTax metadata
  }
}"""

SET_BUYER = """
mutation ($order: ID!, $customer: ID, $input: CreateCustomerInput) {
  buyer: setCustomerForDraftOrder(orderId: $order, customerId: $customer, input: $input) {
    ... on Order { id } ... on ErrorResult { errorCode message }
  }
}"""

CUSTOMER = """
query ($email: String!) {
  customers(options: {filter: {emailAddress: {eq: $email}}, take: 1}) { items { id } }
}"""

SET_SHIPPING_METHOD = (
    """
mutation ($order: ID!, $method: ID!) {
  order: setDraftOrderShippingMethod(orderId: $order, shippingMethodId: $method) {
    ...Whole ... on ErrorResult { errorCode message }
  }
}"""
    + _ORDER
)

# The reference comes first: where another order holds it, nothing else is done.
PLACE = """
mutation ($order: ID!, $reference: String!) {
  claim: setDraftOrderCustomFields(
    orderId: $order, input: {id: $order, customFields: {externalRef: $reference}}
  ) { id }
  letThrough: transitionOrderToState(id: $order, state: "ArrangingPayment") {
    ... on OrderStateTransitionError { transitionError }
  }
  pay: addManualPaymentToOrder(
    input: {orderId: $order, method: "comparator", transactionId: $reference, metadata: {}}
  ) { ... on ErrorResult { errorCode message } }
}"""

ORDER = "query ($order: ID!) { order(id: $order) { ...Whole } }" + _ORDER

ORDER_BY_NUMBER = (
    """
query ($number: String!) {
  orders(options: {filter: {code: {eq: $number}}, take: 1}) { items { ...Whole } }
}"""
    + _ORDER
)

CANCEL = """
mutation ($order: ID!, $reason: String!) {
  cancelled: cancelOrder(input: {orderId: $order, reason: $reason, cancelShipping: true}) {
    ... on ErrorResult { errorCode message }
  }
}"""


def add_items(count: int) -> str:
    """Puts `count` articles into a draft: variables `order`, `item0`, `quantity0`, ..."""
    return _for_each_line(
        count,
        "addItemToDraftOrder(orderId: $order, "
        "input: {{productVariantId: $item{n}, quantity: $quantity{n}}})",
    )


def touch_lines(count: int) -> str:
    """Has the shop price each line of a draft again; the quantities stay. Variables as above."""
    return _for_each_line(
        count,
        "adjustDraftOrderLine(orderId: $order, "
        "input: {{orderLineId: $item{n}, quantity: $quantity{n}}})",
    )


def destination_json(destination: Destination) -> dict[str, str]:
    """Where to, as far as a quote knows it."""
    return {
        "streetLine1": "-",
        "city": destination.city,
        "postalCode": destination.postcode,
        "countryCode": destination.country,
    }


def address_json(order: OrderRequest) -> dict[str, str]:
    """Where to and to whom."""
    address = order.address
    return {
        "fullName": address.name,
        "streetLine1": address.line1,
        "streetLine2": address.line2,
        "city": address.city,
        "postalCode": address.postcode,
        "countryCode": address.country,
        "phoneNumber": order.buyer.phone,
    }


def _for_each_line(count: int, field: str) -> str:
    variables = "".join(f", $item{n}: ID!, $quantity{n}: Int!" for n in range(count))
    fields = "\n".join(f"  line{n}: {field.format(n=n)} {{ {_ADDED} }}" for n in range(count))
    return f"mutation ($order: ID!{variables}) {{\n{fields}\n}}"
