//! What every store does, on a SQLite file, on a real PostgreSQL and on one whose tables are partitioned.
//!
//! `INCIDENT_TEST_POSTGRES_URL` names a server on which databases may be made; without it the PostgreSQL half
//! is red, for a suite that did not run has shown nothing.

mod contract;
mod on_both;
#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use contract::{changes, edited, erasure, racing, reading, rules};
use on_both::on_both;

on_both! {
    rules:
        every_row_of_the_contracts_table_does_what_it_says
        a_conflict_names_its_fields_and_changes_nothing
        one_incident_many_times_in_a_batch_ends_as_its_last_word
        a_batch_does_what_its_payloads_would_do_alone
        seventeen_other_reasons_leave_sixteen_in_the_history
        an_anonymous_incident_is_stored_without_its_reporter
        of_the_times_of_an_anonymous_incident_the_minute_is_stored
        what_was_written_is_there_after_a_restart
        the_longest_texts_and_widest_numbers_come_back_as_they_were;
    racing:
        of_many_copies_at_once_one_creates_and_the_others_change_nothing
        servers_with_the_same_incidents_in_opposite_orders_settle_all
        of_many_reasons_at_once_one_cancels_and_the_others_are_kept
        a_creation_and_its_cancellation_at_once_end_cancelled;
    reading:
        a_list_is_newest_first_and_pages_without_gap_or_repeat
        a_list_shows_what_its_filters_say
        a_history_tells_what_happened_in_order
        an_id_that_is_not_there_is_nothing;
    edited:
        a_row_that_no_rule_allows_is_believed
        a_row_that_cannot_be_read_costs_only_itself
        an_event_of_no_known_kind_is_left_out_and_the_feed_goes_on
        a_reason_that_was_taken_away_leaves_a_cancellation_without_one
        a_history_that_was_deleted_keeps_nobody_busy
        a_text_that_the_database_does_not_take_fails_alone;
    erasure:
        of_an_erased_incident_two_moments_are_left_and_one_event
        nothing_brings_an_erased_incident_back
        a_reader_who_was_there_learns_of_every_erasure
        erasures_beside_writers_are_whole_and_final
        an_erasure_that_fails_half_way_has_changed_nothing
        a_row_that_cannot_be_read_is_erased_like_any_other;
    changes:
        changes_come_in_the_order_of_their_commits
        pages_of_changes_join_without_gap_or_repeat
        a_reader_beside_many_writers_sees_every_change_once
        a_change_wakes_the_readers_of_every_server_within_a_second;
}
