//! `GET /api/incidents/changes` as a reader meets it, on both databases and over two servers where there can be
//! two.

mod following;
mod on_both;
#[expect(dead_code, reason = "each suite uses its part")]
mod support;

use following::{pages, streams};
use on_both::on_both;

on_both! {
    pages:
        a_page_shows_changes_and_where_to_go_on
        only_those_who_may_read_all_may_follow
        every_bad_parameter_is_named_at_once;
    streams:
        a_stream_brings_what_was_and_what_comes_from_any_server
        a_stream_resumes_behind_the_last_event_id
        a_quiet_stream_sends_comments
        a_stream_ends_when_the_server_stops
        a_stream_ends_with_its_token
        a_reader_far_behind_is_let_go_with_its_token
        a_reader_far_behind_is_let_go_when_the_server_stops
        a_reader_that_does_not_read_costs_the_writers_nothing;
}
