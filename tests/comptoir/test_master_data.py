"""Master data by command line and API: records with their sources, whom to believe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from fastapi.testclient import TestClient
from pydantic import SecretStr

import tenants
from comptoir.backoffice import create_backoffice
from comptoir.cli import cli
from comptoir.installation import Installation
from kernel.errors import DomainError
from kernel.settings import Settings
from mdm.pipeline import match_landed
from tenants.brand import read_brand_file
from tenants.operator_keys import create_operator_key
from tenants.registry import apply_brand
from tests.conftest import fresh_database
from tests.mdm.offers_at_hand import WordEncoder, load, merchants, products, raw

BUNDLED = Path(tenants.__file__).parent / "bundled"
LAMP = "Norvalis Lampe de bureau L1 9 W noir"


@pytest.fixture(scope="module")
def installation(
    postgres_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Three merchants of one lamp; one of them says another material."""
    opened = Installation(
        Settings(
            comptoir_data=tmp_path_factory.mktemp("data"),
            database_url=SecretStr(fresh_database(postgres_url)),
        )
    )
    merchants(opened.database, "alpha", "beta", "maker", languages=("fr",))
    for shop, material in (("alpha", "wood"), ("beta", "wood"), ("maker", "steel")):
        stated = (("material", material),)
        lamp = raw("1", LAMP, "20.00", gtins=("4006381333931",), attributes=stated)
        load(opened.database, shop, [lamp])
    yield opened
    opened.database.close()


@pytest.fixture
def run(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr("comptoir.installation.Installation", lambda: installation)

    def call(*words: str) -> Result:
        return CliRunner().invoke(cli, list(words))

    return call


@pytest.fixture
def door(installation: Installation) -> Iterator[TestClient]:
    with TestClient(create_backoffice(installation)) as client:
        yield client


def _headers(installation: Installation, brand: str | None = None) -> dict[str, str]:
    with installation.database.platform() as tx:
        return {"Authorization": f"Bearer {create_operator_key(tx, 'Ann', brand)}"}


@pytest.fixture
def lamp(installation: Installation) -> str:
    return products(installation.database)["maker/1"]


def test_a_record_says_who_says_what_and_what_is_missing(run: Any, lamp: str) -> None:
    shown = run("product", "show", lamp, "--language", "fr")
    assert shown.exit_code == 0, shown.output
    assert "missing: manufacturer, image, descriptions.fr" in shown.output
    lines = [line.split("  ") for line in shown.output.splitlines()]
    material = next(number for number, line in enumerate(lines) if "attributes.material" in line)
    assert "wood" in shown.output.splitlines()[material]
    assert "but steel  [maker]" in shown.output.splitlines()[material + 1]
    unknown = run("product", "show", "prd_none")
    assert isinstance(unknown.exception, DomainError)


def test_whom_to_believe_is_set_and_taken_back(run: Any, lamp: str) -> None:
    said = run("product", "priority", "maker", "attributes.*", "5", "--by", "Vera")
    assert said.output == "1 products merged anew\n"
    assert "attributes.*" in run("product", "priorities").output
    assert '"value": "steel"' in run("product", "show", lamp, "--json").output
    assert run("product", "priority", "maker", "attributes.*").exit_code == 2
    assert run("product", "priority", "maker", "attributes.*", "--clear").exit_code == 0
    assert "believed alike" in run("product", "priorities").output


def test_expectations_of_a_small_catalogue_are_none(run: Any) -> None:
    assert "too small" in run("product", "expected", "--learn").output


def test_the_same_by_api(installation: Installation, door: TestClient, lamp: str) -> None:
    headers = _headers(installation)
    record = door.get(f"/v1/master-data/products/{lamp}", headers=headers).json()
    assert record["fields"]["attributes.material"]["others"] == [
        {"value": "steel", "merchants": ["maker"], "offers": record_offers(record, "maker")}
    ]
    assert record["fields"]["attributes.material"]["from"] in ("alpha", "beta")
    body = {"merchant": "maker", "field": "*", "rank": 3, "reason": "it made it"}
    path = "/v1/master-data/priorities"
    assert door.put(path, json=body, headers=headers).json() == {"products": 1}
    assert door.get(path, headers=headers).json() == [
        {"merchant": "maker", "field": "*", "rank": 3}
    ]
    assert door.put(path, json={**body, "rank": None}, headers=headers).status_code == 200
    assert door.put(path, json={**body, "field": "price"}, headers=headers).status_code == 422
    assert door.put(path, json={**body, "merchant": "x"}, headers=headers).status_code == 404
    assert door.get("/v1/master-data/products/prd_x", headers=headers).status_code == 404


def record_offers(record: dict[str, Any], merchant: str) -> list[str]:
    return [each["offer_id"] for each in record["offers"] if each["merchant"] == merchant]


def test_no_key_and_no_key_of_a_brand_opens_it(
    installation: Installation, door: TestClient, lamp: str
) -> None:
    path = f"/v1/master-data/products/{lamp}"
    assert door.get(path).status_code == 401
    table, terms = read_brand_file(BUNDLED / "mirabelle.toml")
    with installation.database.platform() as tx:
        apply_brand(tx, table, terms)
    assert door.get(path, headers=_headers(installation, "mirabelle")).status_code == 403


def test_a_category_is_corrected_by_command_and_by_api(
    installation: Installation, door: TestClient, run: Any
) -> None:
    merchants(installation.database, "bazaar")
    load(installation.database, "bazaar", [raw("b1", "Orvane KX77Q", category="Bidules")])
    assert "'Bidules'" in run("taxonomy", "unmapped").output
    found = run("taxonomy", "find", "micro-ondes")
    assert found.output.split()[0] == "753", found.output
    said = run("taxonomy", "correct", "bazaar", "Bidules", "753", "--by", "Vera")
    assert said.output.startswith("1 offers"), said.output
    assert run("taxonomy", "correct", "bazaar", "Bidules").exit_code == 2
    match_landed(installation.database, WordEncoder())
    assert "Bidules" not in run("taxonomy", "unmapped").output
    assert "Vera" in run("taxonomy", "history").output
    headers = _headers(installation)
    path = "/v1/master-data/categories"
    body = {"merchant": "bazaar", "category": "Bidules", "google_id": 303}
    assert door.put(path, json=body, headers=headers).json() == {"offers": 1}
    assert door.put(path, json={**body, "google_id": 5}, headers=headers).status_code == 200
    wrong = {**body, "google_id": 999_999}
    assert door.put(path, json=wrong, headers=headers).status_code == 422
    acts = door.get(f"{path}/history", headers=headers).json()
    assert [act["after"]["google_id"] for act in acts] == [5, 303, 753]
    forget = {"merchant": "bazaar", "category": "Bidules"}
    assert door.post(f"{path}/forget", json=forget, headers=headers).json() == {"offers": 1}
    match_landed(installation.database, WordEncoder())
    (waiting,) = [
        each
        for each in door.get(f"{path}/waiting", headers=headers).json()
        if each["source_id"] == "bazaar"
    ]
    assert (waiting["text"], waiting["offers"]) == ("Bidules", 1)
    assert door.get(f"{path}/find?words=Kettle", headers=headers).json()[0]["google_id"] == 751
    assert run("taxonomy", "map").exit_code == 0


def test_google_s_names_are_loaded_from_its_file(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "taxonomy.txt"
    file.write_text("# Google_Product_Taxonomy_Version: 2021-09-21\n222 - Elektronika\n", "utf-8")
    assert run("taxonomy", "names", "cs", str(file)).output == "1 names\n"
    file.write_text("not a taxonomy", "utf-8")
    assert isinstance(run("taxonomy", "names", "cs", str(file)).exception, DomainError)


def test_the_argus_by_command_by_api_and_drawn(
    installation: Installation, door: TestClient, run: Any, lamp: str, tmp_path: Path
) -> None:
    said = run("argus", lamp, "--chart", str(tmp_path / "argus.svg"))
    assert said.exit_code == 0, said.output
    assert "new                  20.00 EUR (20.00 EUR to 20.00 EUR, 3 offers)" in said.output
    assert "good                 unknown" in said.output
    drawing = ElementTree.parse(tmp_path / "argus.svg").getroot()
    words = [text.text for text in drawing.iter("{http://www.w3.org/2000/svg}text")]
    assert words[:2] == ["new", "20.00 EUR (20.00 EUR to 20.00 EUR, 3 offers)"]
    assert words.count("unknown") == 6
    headers = _headers(installation)
    path = f"/v1/master-data/products/{lamp}/argus"
    values = door.get(path, headers=headers).json()["values"]
    assert values["new"]["offers"] == 3
    assert values["good"] is None
    assert door.get(f"{path}?currency=USD", headers=headers).json()["values"]["new"] is None
    assert door.get(f"{path}?currency=x", headers=headers).status_code == 422
    svg = door.get(f"{path}.svg", headers=headers)
    assert svg.headers["content-type"].startswith("image/svg+xml")
    assert run("argus", lamp, "--json").output.startswith("{")


@pytest.mark.parametrize("chart", ["nowhere/argus.svg", "."])
def test_a_chart_that_cannot_be_written_is_refused_first(
    run: Any, lamp: str, tmp_path: Path, chart: str
) -> None:
    said = run("argus", lamp, "--chart", str(tmp_path / chart))
    assert said.exit_code == 2
    assert "--chart" in said.output
    assert "unknown" not in said.output


def test_offers_of_a_product_are_listed_with_their_prices(run: Any, lamp: str) -> None:
    listed = run("offer", "list", lamp)
    assert listed.exit_code == 0, listed.output
    assert listed.output.count("20.00 EUR") == 3
    one = listed.output.splitlines()[2].split()[0]
    assert "20.00 EUR" in run("offer", "show", one).output
