from __future__ import annotations

from kernel.pictures import MOST_SHOWN, gallery, picture_url

A, B = "https://a.example", "https://b.example"


def test_pictures_of_one_shop_behind_the_first() -> None:
    """Two shops show the same sides: of the second only its best picture would be new."""
    urls = [f"{B}/1.jpg", f"{A}/1.jpg", f"{A}/2.jpg", "http://c.example/3.jpg", f"{A}/2.jpg"]
    assert gallery(urls) == (f"{B}/1.jpg", f"{A}/1.jpg", f"{A}/2.jpg")
    assert gallery(urls)[0] == picture_url(urls, None, None)


def test_a_single_picture_needs_no_gallery() -> None:
    assert gallery([]) == gallery([f"{A}/1.jpg"]) == gallery(["http://a.example/1.jpg"] * 3) == ()
    assert gallery([f"{A}/1.jpg", f"{A}/1.jpg"]) == ()


def test_a_gallery_ends() -> None:
    assert len(gallery([f"{A}/{n}.jpg" for n in range(40)])) == MOST_SHOWN
