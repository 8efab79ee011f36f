//! Each test of a suite on a file and on a real PostgreSQL.

/// Tests `module::name(&TestDatabase)`, each on a file and on a real PostgreSQL.
macro_rules! on_both {
    ($($module:ident: $($name:ident)*;)*) => {
        mod on_sqlite {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    $module::$name(&$crate::support::database::TestDatabase::sqlite()).await;
                }
            )*)*
        }

        mod on_postgres {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    $module::$name(&$crate::support::database::TestDatabase::postgres().await).await;
                }
            )*)*
        }

        mod on_partitions {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread")]
                async fn $name() {
                    $module::$name(&$crate::support::database::TestDatabase::partitioned().await).await;
                }
            )*)*
        }
    };
}

pub(crate) use on_both;
