//! What PostgreSQL, its driver and the network between them do when things go wrong, each on servers of the
//! test's own.

#[expect(dead_code, reason = "each suite uses its part")]
mod support;
mod traps;

use support::database::Tables;
use traps::{crash, locks, rights, standby};

/// Tests `module::name(Tables)`, each on whole tables and on partitioned ones.
macro_rules! on_both_layouts {
    ($($module:ident: $($name:ident)*;)*) => {
        mod on_whole_tables {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    $module::$name(Tables::Whole).await;
                }
            )*)*
        }

        mod on_partitions {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    $module::$name(Tables::Partitioned).await;
                }
            )*)*
        }
    };
}

on_both_layouts! {
    crash:
        nothing_that_was_acknowledged_is_lost_or_doubled_by_kill_9
        a_caller_that_goes_away_leaves_nothing_open_and_nothing_half_done;
    locks:
        the_victim_of_a_deadlock_tries_again
        a_lock_that_is_held_for_long_is_answered_in_time_and_harms_nobody_else;
    rights:
        who_may_make_nothing_serves_on_tables_that_are_there;
    standby:
        a_repeat_and_a_conflict_wait_for_the_standby_too
        a_wait_that_somebody_cancels_is_no_success
        after_a_failover_the_new_primary_is_found_and_has_everything;
}
