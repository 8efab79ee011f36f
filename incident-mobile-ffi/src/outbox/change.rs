//! The moments at which a test may kill the process: around every commit, and between the steps of a repair.

use std::fmt;

macro_rules! listed {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$vdoc])* $variant),* }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(match self { $(Self::$variant => $word),* })
            }
        }
    };
}

listed! {
    /// A change of the file: one transaction.
    Change {
        /// The tables of a new file.
        Create = "create",
        /// A report is taken.
        Report = "report",
        /// A report is called off.
        Cancel = "cancel",
        /// The right to send is taken or given back.
        Lease = "lease",
        /// An answer takes effect.
        Answer = "answer",
        /// Entries are to be sent again.
        Retry = "retry",
        /// Entries are removed at the user's wish.
        Discard = "discard",
        /// A wait is cut short.
        Wait = "wait",
        /// What has long been settled is erased.
        Prune = "prune",
        /// What could be read of a corrupt file is put into a new one.
        Salvage = "salvage",
    }
}

listed! {
    /// A step of a repair that has been taken.
    RepairStep {
        /// The new file is complete.
        Saved = "saved",
        /// The corrupt file has its other name.
        Moved = "moved",
        /// Its log, too.
        LogMoved = "log moved",
        /// The new file has the name.
        InPlace = "in place",
    }
}

/// How far the outbox has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// The next step is the commit.
    BeforeCommit(Change),
    /// The change is durable.
    AfterCommit(Change),
    /// A repair has come this far.
    Repair(RepairStep),
    /// Nothing is left of what was erased, and that is not noted yet.
    Compacted,
}

/// As a command line may have it: `report,before commit`.
impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BeforeCommit(change) => write!(f, "{change},before commit"),
            Self::AfterCommit(change) => write!(f, "{change},after commit"),
            Self::Repair(step) => write!(f, "repair,{step}"),
            Self::Compacted => f.write_str("compacted"),
        }
    }
}
