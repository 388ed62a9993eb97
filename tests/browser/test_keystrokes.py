"""How many keys a correction takes: 20 prepared samples, five a language, and a script that counts.

A modifier counts as a key of its own. The keys that submit a sample belong to its events.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Page, expect

from core.events import Argument, Event
from storage.store import Store
from tests.browser.conftest import RunningApp
from tests.browser.workbench import Workbench, add_text, suggest, wait_for_review, words_of

pytestmark = pytest.mark.browser

# language: five of (text, trigger, agent, product, place, the product cut wrongly, another trigger)
PREPARED = {
    "en": [
        ("On Tuesday Acme launched a phone service in Madrid, and prices fell.", "launched", "Acme", "a phone service", "Madrid", "phone", "fell"),
        ("Nortia has unveiled its new city bus in Oslo after a long wait.", "unveiled", "Nortia", "its new city bus", "Oslo", "new city bus in", "wait"),
        ("The bank of Lund opened a second branch in Malmö yesterday.", "opened", "The bank of Lund", "a second branch", "Malmö", "branch", "yesterday"),
        ("In Porto the firm Vela presented two electric boats to the press.", "presented", "the firm Vela", "two electric boats", "Porto", "electric boats to", "press"),
        ("Kite Air started daily flights from Riga, the company said.", "started", "Kite Air", "daily flights", "Riga", "flights", "said"),
    ],
    "zh": [
        ("😀华为周二在深圳推出新手机服务，价格下跌。", "推出", "华为", "新手机服务", "深圳", "手机", "下跌"),
        ("北方汽车公司在上海发布了电动客车。", "发布", "北方汽车公司", "电动客车", "上海", "客车", "电动"),
        ("晨星科技昨天在北京开设第二家门店。", "开设", "晨星科技", "第二家门店", "北京", "门店", "昨天"),
        ("海风集团在广州展示两艘电动船。", "展示", "海风集团", "两艘电动船", "广州", "电动船", "两艘"),
        ("南天航空从成都开通每日航班。", "开通", "南天航空", "每日航班", "成都", "航班", "每日"),
    ],
    "es": [
        ("El martes Acme lanzó en Madrid un servicio nuevo y bajaron los precios.", "lanzó", "Acme", "un servicio nuevo", "Madrid", "servicio", "bajaron"),
        ("Nortia presentó su nuevo autobús urbano en Bilbao tras una larga espera.", "presentó", "Nortia", "su nuevo autobús urbano", "Bilbao", "nuevo autobús urbano", "espera"),
        ("El banco de Lugo abrió una segunda sucursal en Vigo.", "abrió", "El banco de Lugo", "una segunda sucursal", "Vigo", "sucursal", "segunda"),
        ("En Cádiz la firma Vela mostró dos barcos eléctricos a la prensa.", "mostró", "la firma Vela", "dos barcos eléctricos", "Cádiz", "barcos eléctricos a", "prensa"),
        ("Kite Air inició vuelos diarios desde Sevilla, dijo la empresa.", "inició", "Kite Air", "vuelos diarios", "Sevilla", "vuelos", "dijo"),
    ],
    "ru": [
        ("Во вторник Акме запустила в Мадриде новый сервис доставки, и цены упали.", "запустила", "Акме", "новый сервис доставки", "Мадриде", "сервис", "упали"),
        ("Нортия представила новый городской автобус в Осло после долгого ожидания.", "представила", "Нортия", "новый городской автобус", "Осло", "городской автобус", "ожидания"),
        ("Банк Лунда открыл второе отделение в Риге вчера.", "открыл", "Банк Лунда", "второе отделение", "Риге", "отделение", "вчера"),
        ("В Казани фирма Вела показала два электрических катера прессе.", "показала", "фирма Вела", "два электрических катера", "Казани", "катера прессе", "прессе"),
        ("Кайт Эйр начала ежедневные рейсы из Риги, сообщила компания.", "начала", "Кайт Эйр", "ежедневные рейсы", "Риги", "рейсы", "сообщила"),
    ],
}  # fmt: skip
SAMPLES = [
    (language, n, *case) for language, cases in PREPARED.items() for n, case in enumerate(cases)
]


@dataclass
class Counts:
    """Keys and what they were for: `accept`, `boundary`, `role`, `reject`."""

    keys: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    worst: dict[str, int] = field(default_factory=dict)


class Typist:
    """Presses keys and counts them."""

    def __init__(self, bench: Workbench, counts: Counts) -> None:
        self.bench = bench
        self.counts = counts
        self.spent = 0

    def press(self, *keys: str) -> None:
        self.bench.press(*keys)
        self.spent += sum(key.count("+") + 1 for key in keys)

    def book(self, what: str, *, times: int = 1) -> None:
        """What was pressed since the last time was for this."""
        self.counts.keys[what] += self.spent
        self.counts.done[what] += times
        self.counts.worst[what] = max(self.counts.worst.get(what, 0), self.spent)
        self.spent = 0


WORDS = ".argus-wb .row.at .words bdi"


def words_at(page: Page) -> str:
    """The words of the focused slot."""
    words = ""
    while not words:  # the row is made anew while a change is painted
        expect(page.locator(WORDS)).to_have_text(re.compile(r"\S"))
        words = page.locator(WORDS).inner_text()
    return words


def repair_boundary(typist: Typist, page: Page, text: str, right: str) -> None:
    """Move both edges of the focused slot, a step a key, until it says `right`."""
    start, end = text.index(right), text.index(right) + len(right)
    for _ in range(30):
        now = words_at(page)
        a = text.index(now)
        b = a + len(now)
        if (a, b) == (start, end):
            return
        if b != end:
            typist.press("'" if b < end else ";")
        elif a != start:
            typist.press("," if a > start else ".")
        # A person looks before the next key: each of these keys changes what the slot says.
        expect(page.locator(WORDS)).not_to_have_text(now)
    raise AssertionError(f"{words_at(page)!r} never became {right!r}")


@pytest.fixture(scope="module")
def counts() -> Counts:
    return Counts()


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{s[0]}-{s[1]}" for s in SAMPLES])
def test_a_prepared_sample_is_corrected(
    app: RunningApp, store: Store, page: Page, counts: Counts, sample: tuple[str, ...]
) -> None:
    language, number, text, trigger, agent, product, place, cut, other = sample
    bad_boundary, bad_role, extra = number in (1, 3, 4), number in (2, 3), number in (0, 3)
    given = words_of(text, cut if bad_boundary else product, confidence=0.5)
    where = Argument("product" if bad_role else "place", words_of(text, place, confidence=0.5))
    event = Event(
        "launch",
        words_of(text, trigger, confidence=0.9),
        (
            Argument("agent", words_of(text, agent, confidence=0.9)),
            Argument("product", given),
            where,
        ),
    )
    wrong = [Event("attack", words_of(text, other, confidence=0.1), ())] if extra else []
    key = add_text(store, f"keys-{language}-{number}", language, text)
    suggest(store, key, event, *wrong)
    bench = Workbench(page, app.url)
    bench.open(key)
    typist = Typist(bench, counts)

    if bad_boundary:
        typist.press("n", "n", "n")
        expect(page.locator(WORDS)).to_have_text(cut)
        repair_boundary(typist, page, text, product)
        typist.book("boundary")
    if bad_role:
        typist.press("n") if bad_boundary else typist.press("n", "n", "n", "n")
        typist.press("e", "p", "l", "Enter")
        typist.book("role")
    if bad_boundary or bad_role:
        typist.press("ArrowUp")
    typist.press("a")
    if extra:
        accepted = typist.spent
        typist.spent = 0
        typist.press("x", "4")
        typist.book("reject")
        typist.spent = accepted
    typist.press("Control+Enter")
    typist.book("accept")
    (stored,) = wait_for_review(store, key, page)

    assert [(a.role, a.mention.text) for a in stored.arguments] == [
        ("agent", agent), ("product", product), ("place", place),
    ]  # fmt: skip
    assert stored.trigger is not None
    assert stored.trigger.text == trigger


def test_few_keys_were_needed(counts: Counts, capfd: pytest.CaptureFixture[str]) -> None:
    if sum(counts.done.values()) < len(SAMPLES):
        pytest.skip("counts the keys of the tests above: run the whole file")
    mean = {what: counts.keys[what] / counts.done[what] for what in counts.done}
    with capfd.disabled():
        for what, figure in sorted(mean.items()):
            line = f"{what}: {figure:.1f} keys, worst {counts.worst[what]} (n {counts.done[what]})"
            print(f"\n{line}", end="")  # noqa: T201 - the figures are what this test is for

    assert counts.worst["accept"] <= 4
    assert max(counts.worst["boundary"], counts.worst["role"]) <= 9
