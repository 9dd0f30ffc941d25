"""What can be stated of an enterprise: kinds with their units, and how they add up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

MONEY = {"10k_cny": 1.0, "cny": 1e-4, "100m_cny": 1e4}
AREA = {"m2": 1.0, "ha": 1e4, "km2": 1e6, "mu": 2000 / 3}
VOLUME = {"m3": 1.0, "10k_m3": 1e4, "t": 1.0}


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of statement."""

    name: str
    unit: str  # canonical; empty: the stated one, one for each product
    units: Mapping[str, float] = field(default_factory=dict)  # times this: canonical
    money: bool = False  # has prices
    level: bool = False  # holds through its period and does not add up over time
    product: bool = False  # says of which product or pollutant
    negative: bool = False  # may be below zero
    positive: bool = False  # may not even be zero
    park: bool = False  # a park may state it too
    meaning: str
    zh: str


_ALL = (
    Kind(
        name="added_value",
        unit="10k_cny",
        units=MONEY,
        money=True,
        negative=True,
        meaning="industrial added value",
        zh="工业增加值",
    ),
    Kind(
        name="gross_output",
        unit="10k_cny",
        units=MONEY,
        money=True,
        meaning="gross industrial output value",
        zh="工业总产值",
    ),
    Kind(
        name="revenue",
        unit="10k_cny",
        units=MONEY,
        money=True,
        negative=True,
        meaning="main business revenue, invoiced sales",
        zh="主营业务收入",
    ),
    Kind(
        name="output",
        unit="",
        product=True,
        meaning="output of a product, in its own unit",
        zh="产品产量",
    ),
    Kind(
        name="land_area",
        unit="m2",
        units=AREA,
        level=True,
        park=True,
        meaning="land used",
        zh="用地面积",
    ),
    Kind(
        name="building_area",
        unit="m2",
        units=AREA,
        level=True,
        park=True,
        meaning="floor area of buildings",
        zh="建筑面积",
    ),
    Kind(
        name="heads",
        unit="persons",
        units={"persons": 1.0},
        level=True,
        meaning="mean number of employees",
        zh="从业人员平均人数",
    ),
    Kind(
        name="fresh_water",
        unit="m3",
        units=VOLUME,
        meaning="fresh water taken: tap and own wells",
        zh="新鲜水用量",
    ),
    Kind(
        name="wastewater",
        unit="m3",
        units=VOLUME,
        meaning="wastewater discharged",
        zh="废水排放量",
    ),
    Kind(
        name="pollutant",
        unit="kg",
        units={"kg": 1.0, "t": 1000.0},
        product=True,
        meaning="a pollutant discharged: cod, nh3_n, so2, nox, voc …",
        zh="污染物排放量",
    ),
    Kind(
        name="renewable_energy",
        unit="tce",
        units={"tce": 1.0},
        park=True,
        meaning="renewable energy that a quota leaves out, beside metered PV and the ledger",
        zh="可再生能源消费(计量光伏和绿电台账之外)",
    ),
    Kind(
        name="feedstock_energy",
        unit="tce",
        units={"tce": 1.0},
        park=True,
        meaning="energy used as feedstock, which a quota leaves out",
        zh="原料用能",
    ),
    Kind(
        name="volume_index",
        unit="percent",
        units={"percent": 1.0},
        positive=True,
        park=True,
        meaning="added value at comparable prices, the same period of last year = 100",
        zh="增加值可比价指数(上年同期=100)",
    ),
)
KINDS: dict[str, Kind] = {each.name: each for each in _ALL}
PRICES = ("current", "comparable")
STAGES = ("provisional", "final")
