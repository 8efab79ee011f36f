//! What the process uses, under the names that Prometheus's client libraries agree on. Linux tells it in `/proc/self`.

use std::fmt;

use procfs::{ProcResult, process};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeMetric},
    metrics::{counter::ConstCounter, gauge::ConstGauge},
    registry::{Registry, Unit},
};

use crate::Clock;

pub(super) fn register(registry: &mut Registry) {
    registry.register_collector(Box::new(Process::default()));
}

#[derive(Debug)]
struct Process {
    started_seconds: f64,
}

/// One look.
struct ProcessUsage {
    cpu_seconds: f64,
    resident_bytes: i64,
    files: i64,
    most_files: i64,
}

impl Default for Process {
    #[expect(clippy::cast_precision_loss, reason = "whole milliseconds of this age are exact")]
    fn default() -> Self {
        Self { started_seconds: Clock::system().now().unix_ms() as f64 / 1000.0 }
    }
}

#[expect(clippy::cast_precision_loss, reason = "of ticks of a processor's time")]
fn usage() -> ProcResult<ProcessUsage> {
    let process = process::Process::myself()?;
    let stat = process.stat()?;
    let ticks = stat.utime + stat.stime;
    let most_files = match process.limits()?.max_open_files.soft_limit {
        process::LimitValue::Value(files) => i64::try_from(files).unwrap_or(i64::MAX),
        process::LimitValue::Unlimited => i64::MAX,
    };
    let resident_bytes = stat.rss.saturating_mul(procfs::page_size());
    Ok(ProcessUsage {
        cpu_seconds: ticks as f64 / procfs::ticks_per_second() as f64,
        resident_bytes: i64::try_from(resident_bytes).unwrap_or(i64::MAX),
        files: i64::try_from(process.fd_count()?).unwrap_or(i64::MAX),
        most_files,
    })
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let mut put =
            |name, help, unit: Option<&Unit>, metric: &dyn Metric| metric.put(&mut encoder, name, help, unit);
        let seconds = Some(&Unit::Seconds);
        let started = ConstGauge::new(self.started_seconds);
        put("process_start_time", "When the process started, in seconds since 1970", seconds, &started)?;
        // Where /proc is not there the others are left out: no figure is better than a wrong one.
        let Ok(usage) = usage() else { return Ok(()) };
        put(
            "process_cpu",
            "Time of processors, user and system",
            seconds,
            &ConstCounter::new(usage.cpu_seconds),
        )?;
        let memory = ConstGauge::new(usage.resident_bytes);
        put("process_resident_memory", "Memory that is resident", Some(&Unit::Bytes), &memory)?;
        put("process_open_fds", "Files that are open", None, &ConstGauge::new(usage.files))?;
        put("process_max_fds", "Files that may be open", None, &ConstGauge::new(usage.most_files))
    }
}

/// Any kind of metric.
trait Metric {
    fn put(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
    ) -> fmt::Result;
}

impl<M: EncodeMetric> Metric for M {
    fn put(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
    ) -> fmt::Result {
        self.encode(encoder.encode_descriptor(name, help, unit, self.metric_type())?)
    }
}
