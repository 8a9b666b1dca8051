"""More buyers than pieces, all at once: as many sold as there are, and the rest told the truth."""

from __future__ import annotations

from bench.purchase_load import flash_sale, sold, told_the_truth
from tests.purchase_setting import Setting
from tests.small_merchant import SmallMerchant


def test_the_last_pieces_are_sold_once_and_nobody_else_is_charged(
    setting: Setting, merchant: SmallMerchant
) -> None:
    sale = flash_sale(setting, merchant, buyers=24, pieces=5, at_once=12)
    assert (sold(sale), told_the_truth(sale)) == (5, 19), sale.told
    assert (sale.orders, sale.charged, sale.held) == (5, 5, 0)
    assert (sale.lost, sale.twice) == (0, 0)
