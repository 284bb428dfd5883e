use super::play;

#[test]
fn free_credits_burn_before_purchased_ones() {
    let played = play(
        "
        2026-01-01  grant    free  15  until 2026-02-01
        2026-01-05  grant    pack 115  until 2027-01-05  paid $15.00
        2026-01-06  hold     job-1 1
        2026-01-06  capture  job-1 1
        ",
    );
    assert_eq!(
        played,
        "free   14 of 15   until 2026-02-01\npack  115 of 115  until 2027-01-05\navailable 129, held 0\n"
    );
}

#[test]
fn an_expectation_that_is_not_met_names_its_line() {
    let played = play("2026-01-01 grant free 15\n# the next line is wrong\nexpect available 16\n");
    assert_eq!(played, "line 3: available 16 expected, 15 found");
}

#[test]
fn lines_that_cannot_be_read_are_named() {
    for (text, message) in [
        ("2026-01-01 spend 15", "line 1: a verb such as grant, hold or capture needed, \"spend\" found"),
        ("\n2026-01-01 grant free", "line 2: credits needed, the line ends"),
        ("2026-01-01 together\nhold 1", "line 1: the block has no \"end\""),
        ("expect", "line 1: expectation needed, the line ends"),
        (
            "expect available 0 beans",
            "line 1: one of available, held, captured, expired, withdrawn, debt, live, refill, expiring needed, \"beans\" found",
        ),
        ("2026-01-01 hold job-1 1 for ever", "line 1: a duration such as 15m needed, \"ever\" found"),
        ("2026-02-30 grant free 15", "line 1: an instant such as 2026-11-30T23:59:00Z needed, \"2026-02-30\" found"),
        ("0 times hold 1", "line 1: 1 to 10000 times needed, \"0\" found"),
        ("grant free 1.0000001", "line 1: credits: at most 6 decimals allowed"),
        ("sweeper", "line 1: \"sweeper on\" or \"sweeper off\" needed"),
        ("order P pack small", "line 1: no pack \"small\" is sold now"),
        ("2 times buy P period", "line 1: \"buy\" is two requests: order and pay"),
        ("refund P $1.00", "line 1: \"as\" and the refund's name needed"),
        (
            "reverse P d1 lose $1.00",
            "line 1: one of refunded, refund-failed, disputed, lost, won needed, \"lose\" found",
        ),
        ("charge 1 by ann", "line 1: \"member\" or \"api-key\" and a name needed"),
        ("budget team month 5", "line 1: account, member or api-key needed, \"team\" found"),
        ("expect legs granted\nlot #1 1", "line 1: the block has no \"end\""),
        (
            "grant free 1\nexpect legs granted\nlot free 1\nend",
            "line 2: legs lot #1 1 expected, issuance:free #1 -1, lot #1 1 found",
        ),
        ("expect budget account month used 1 of 2", "line 1: used 1 of 2 expected, none found"),
    ] {
        assert_eq!(play(text), message);
    }
}
