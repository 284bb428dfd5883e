"""Beancount's own bean-check against what `medici ledger export` writes: it proves our reports."""

import json
import pathlib
import subprocess
import sys
import time
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest
from studio import MEDICI

BEAN_CHECK = pathlib.Path(sys.executable).with_name("bean-check")
BOOKS = pathlib.Path(__file__).parent / "books"


def bean_check(book: pathlib.Path) -> str:
    """Returns what bean-check has to say: nothing about a book that is right."""
    done = subprocess.run([BEAN_CHECK, "--no-cache", book], capture_output=True, text=True)
    said = done.stdout + done.stderr
    assert (done.returncode == 0) == (said.strip() == ""), (done.returncode, said)
    return said


def charge(studio, key, account, count, name):
    body = json.dumps({"account": account, "operation": "generate", "count": count}).encode()
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": name, "Content-Type": "application/json"}
    request = urllib.request.Request(f"{studio.url}/api/charges", data=body, headers=headers)
    with urllib.request.urlopen(request) as reply:
        assert reply.status == 201


def export(studio, book, *arguments):
    command = [MEDICI, "--data", studio.data, "ledger", "export", "--format", "beancount", "-o", book, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return book.read_text()


@pytest.fixture(scope="module")
def business(pattern):
    """Packs in three currencies, charges, a pack that expires, and an account that spends free credits."""
    service = pattern.run("key", "create", "--service")["secret"]
    soon = (datetime.now(timezone.utc) + timedelta(seconds=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for name, cost, ends in [("books-usd", "15.00 USD", "2037-01-01"), ("books-jpy", "2301 JPY", "2037-01-01"),
                             ("books-kwd", "4.999 KWD", "2037-01-01"), ("books-over", "15.00 USD", soon)]:
        pattern.run("account", "create", name, "--plan", "none")
        pattern.run("grant", name, "115", "--class", "paid", "--cost", cost, "--expires", ends)
        for number, count in enumerate([4, 9, 3]):
            charge(pattern, service, name, count, f"{name}-{number}")
    pattern.run("account", "create", "books-free")
    charge(pattern, service, "books-free", 60, "books-free")
    time.sleep(2.5)
    # Whatever comes next books what has expired.
    pattern.run("grant", "books-over", "1", "--class", "promo")
    return pattern


@pytest.mark.parametrize("basis", ["effective", "recorded"])
def test_bean_check_has_nothing_to_say_about_the_books(business, tmp_path, basis):
    text = export(business, tmp_path / "book.beancount", "--basis", basis)
    assert bean_check(tmp_path / "book.beancount") == ""
    for part in ["Income:Breakage", "2301 JPY", "4.999 KWD", "CREDIT", "Income:Revenue:Generate", " ~ 0 USD"]:
        assert part in text, part


def test_a_period_of_its_own_begins_with_what_was_there(business, tmp_path):
    tomorrow = (datetime.now(timezone.utc) + timedelta(days=1)).strftime("%Y-%m-%d")
    later = (datetime.now(timezone.utc) + timedelta(days=40)).strftime("%Y-%m-%d")
    text = export(business, tmp_path / "book.beancount", "--from", tomorrow, "--to", later)
    assert "what the accounts had before" in text
    assert bean_check(tmp_path / "book.beancount") == ""


def test_the_report_is_what_bean_check_was_given(business, tmp_path):
    text = export(business, tmp_path / "book.beancount")
    report = business.run("ledger", "report", "--by", "month")
    assert report["ties_out"] is True
    last = [line.split() for line in text.splitlines() if " balance Liabilities:Deferred " in line]
    for period in report["periods"][-3:]:
        deferred = f"-{period['deferred_closing']}"
        assert any(line[3] == deferred and line[-1] == period["currency"] for line in last), period


def test_a_book_that_was_tampered_with_is_refused(business, tmp_path):
    text = export(business, tmp_path / "book.beancount")
    first = text.index("Income:Revenue:Generate", text.index(" * "))
    amount = text[first:].split()[1]
    one_leg = text[:first] + text[first:].replace(amount, f"{amount}9", 1)
    transaction = text.rindex("\n\n", 0, first)
    removed = text[:transaction] + text[text.index("\n\n", first):]
    balance = text.index(" balance Liabilities:Deferred")
    claimed = text[:balance] + text[balance:].replace("-", "-1", 1)
    for number, tampered in enumerate([one_leg, removed, claimed]):
        assert tampered != text
        book = tmp_path / f"tampered-{number}.beancount"
        book.write_text(tampered)
        assert bean_check(book) != "", number


@pytest.mark.parametrize("book", sorted(BOOKS.glob("*.beancount")), ids=lambda book: book.stem)
def test_orders_refunds_disputes_and_debts_add_up(book):
    """Books of a story with every kind of entry, which a test of the exporter compares with what it writes."""
    assert bean_check(book) == ""
    text = book.read_text()
    for part in ["Assets:CustomerDebt", "Assets:Receivable", "Liabilities:Tax", "Equity:Credits:Clawed"]:
        assert part in text, part
