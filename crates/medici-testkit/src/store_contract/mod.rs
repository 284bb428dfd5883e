//! What every store promises, as tests that run unchanged against each of them.
//!
//! An adapter implements [`StoreUnderTest`] and calls [`crate::store_contract_tests!`] with a function that
//! opens it empty; every promise becomes a test of its own.
#![expect(clippy::unwrap_used, reason = "these functions are tests, though they live in a library")]

mod alerts;
mod deletions;
mod events;
mod failures;
mod jobs;
mod money;
mod rows;
pub mod world;

use std::sync::Arc;

use medici_ledger::PriceBook;
use medici_studio::Store;

use crate::ManualClock;

pub use alerts::*;
pub use deletions::*;
pub use events::*;
pub use failures::*;
pub use jobs::*;
pub use money::*;
pub use rows::*;

/// A store that can be stopped, started again and made to fail.
pub trait StoreUnderTest {
    /// Returns the running store.
    fn store(&self) -> &dyn Store;
    /// Stops the store and opens it again on what it kept.
    fn reopen(self: Box<Self>) -> Box<dyn StoreUnderTest>;
    /// Makes the next commits fail this way.
    fn fail_next_commits(&self, times: usize, failure: Failure);
    /// Forgets the failures that have not happened yet.
    fn heal(&self);
}

/// How a commit fails. Nothing of it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Before the first row is written.
    Before,
    /// At the commit, after every row was written.
    AtCommit,
    /// The disk is full.
    Full,
    /// The disk cannot sync: it is lost until a restart.
    Disk,
}

/// Opens an empty store on this clock and with these prices.
pub type Open<'a> = &'a dyn Fn(Arc<ManualClock>, Arc<PriceBook>) -> Box<dyn StoreUnderTest>;

/// Makes one test of each promise. Takes a function of the type [`Open`] refers to.
#[macro_export]
macro_rules! store_contract_tests {
    ($open:expr) => {
        $crate::store_contract_tests!(@each $open;
            an_answered_unit_is_seen_at_once_and_after_a_restart,
            a_refused_unit_changes_nothing,
            sixty_four_charges_of_fifteen_credits_give_fifteen,
            every_interleaving_of_accounts_replays_to_the_same_wallets,
            a_repeat_of_a_key_gives_the_first_outcome_also_after_a_restart,
            a_key_of_another_account_or_endpoint_is_another_key,
            a_key_for_spending_is_forgotten_after_a_day_and_one_for_money_never,
            recorded_at_never_goes_back_whatever_the_clock_does,
            entries_come_in_pages_newest_first,
            a_cursor_of_another_account_shows_nothing,
            the_journal_comes_in_pages_oldest_first,
            a_low_balance_is_told_once_each_time_it_falls,
            a_unit_of_many_events_counts_each_once_also_after_a_restart,
            an_event_is_known_for_a_week_or_longer_than_late_usage_counts,
            units_that_are_submitted_together_are_one_commit,
            whatever_commits_fail_many_events_are_charged_exactly_once,
            accounts_are_due_when_something_in_them_is,
            a_job_comes_back_as_it_was_put_in_every_state,
            jobs_come_in_pages_newest_first,
            images_come_back_as_they_were_put,
            images_of_an_account_come_in_pages_newest_first,
            jobs_are_found_by_their_words_their_state_and_when_they_were_asked,
            a_look_for_jobs_ends_at_its_bound_and_goes_on_from_there,
            a_deleted_image_is_gone_and_known_to_have_been_there,
            a_deleted_image_is_seen_by_the_next_unit_of_its_group,
            a_deleted_job_is_in_no_list_and_its_row_stays,
            a_blob_is_named_until_its_last_image_is_deleted,
            a_blob_is_named_by_the_job_that_starts_from_it,
            a_deletion_whose_commit_fails_deletes_nothing,
            a_hundred_jobs_of_one_account_let_another_through_within_two,
            every_job_is_drawn_after_as_many_as_were_ahead_of_it,
            the_queue_is_the_same_after_a_restart,
            leases_end_by_time_or_with_their_worker,
            a_name_is_given_once,
            published_prices_are_in_force_at_once_and_kept_for_ever,
            api_keys_are_found_by_their_public_part_until_and_after_revocation,
            a_commit_that_fails_once_is_tried_again_and_nobody_notices,
            whatever_commits_fail_a_charge_with_a_key_happens_exactly_once,
            a_group_whose_commits_fail_is_decided_one_by_one,
            a_full_disk_is_said_and_ends_by_itself,
            a_failed_disk_acknowledges_nothing_until_a_restart,
            a_unit_that_panics_costs_nobody_else_anything,
            a_unit_that_hides_what_it_touches_is_not_kept,
        );
    };
    (@each $open:expr; $($promise:ident),+ $(,)?) => {
        $(
            #[test]
            fn $promise() {
                $crate::store_contract::$promise(&$open);
            }
        )+
    };
}
