//! The time of functions as providers would bill it: an estimate, and therefore a range with its assumptions.
//!
//! A millisecond of the local sandbox is no millisecond of a provider's, and a local disk is no network. What is known here is how much
//! processor time an invocation took in the sandbox, how often it waited for a service, and for how long it waited for anything else.

use super::measure::Time;
use super::work::Amount;

/// Memory at which AWS Lambda gives a whole processor; less memory gives less of it. Source: "Configure Lambda function memory".
const LAMBDA_MIB_PER_CPU: u64 = 1769;
/// Source: "Cloud Run pricing": instance time is rounded up to the nearest 100 ms.
const RUN_STEP_MICROS: u64 = 100_000;
/// Source: "Azure Functions pricing": 100 ms and 128 MB at least, up to 1,536 MB, in steps of 128 MB.
const AZURE_MICROS_MIN: u64 = 100_000;
const AZURE_STEP_MIB: u64 = 128;
const AZURE_MIB_MAX: u64 = 1536;
const MILLI: u64 = 1000;

/// Cold starts of Node 18 on AWS Lambda by the bundle's length: published measurements, (bytes, milliseconds).
const COLD_STARTS: [(u64, u64); 5] = [(1 << 10, 171), (1 << 20, 197), (4 << 20, 280), (16 << 20, 649), (64 << 20, 3110)];

/// One invocation, as it was measured here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compute {
    pub wall_micros: u64,
    pub cpu_micros: u64,
    /// What the project file gives the function.
    pub memory_mib: u32,
    /// Whether it was a cold start here.
    pub cold: bool,
    /// The bundle's length, by which a cold start is estimated.
    pub bundle_bytes: u64,
    /// How many times it waited for services, one time after another: calls made at once count as one (see [`rounds`]).
    pub service_rounds: u64,
    /// How long it waited for services here.
    pub service_micros: u64,
}

/// How local measures become a provider's. All are shown with the estimate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assumptions {
    /// A provider's optimising engine is so many times faster than the sandbox's interpreter, at best; at worst it is as fast.
    pub engine_speed_max: u64,
    /// How long a provider's service takes to answer.
    pub service_micros: (u64, u64),
    pub cold_starts: ColdStarts,
    /// Measured in production: wall time there by wall time here, in thousandths. Replaces the first two; cold starts stay.
    pub measured_permille: Option<u64>,
}

/// Which invocations start cold in production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColdStarts {
    /// Those that did here: for a look at one invocation.
    AsHere,
    /// So many of a thousand, at least and at most: for a month.
    Permille(u64, u64),
}

impl Default for Assumptions {
    fn default() -> Assumptions {
        Assumptions {
            engine_speed_max: 10,
            service_micros: (2_000, 10_000),
            cold_starts: ColdStarts::Permille(0, 10),
            measured_permille: None,
        }
    }
}

impl Assumptions {
    /// In words, for the foot of a report.
    pub fn text(&self) -> String {
        let cold = match self.cold_starts {
            ColdStarts::AsHere => "cold starts as here".to_owned(),
            ColdStarts::Permille(low, high) => format!("{low}–{high} of 1,000 calls start cold"),
        };
        match self.measured_permille {
            Some(permille) => format!("wall time as measured in production: {}.{:03} × local; {cold}", permille / 1000, permille % 1000),
            None => format!(
                "processor time between 1/{} and all of the sandbox's; {}–{} ms for each wait for a service; {cold}",
                self.engine_speed_max,
                self.service_micros.0 / MILLI,
                self.service_micros.1 / MILLI
            ),
        }
    }
}

impl Compute {
    /// What each provider would bill for it.
    pub fn billed(&self, assumptions: &Assumptions) -> [(Time, Amount); 5] {
        let memory = u64::from(self.memory_mib.max(1));
        let (rare, frequent) = match assumptions.cold_starts {
            ColdStarts::AsHere if self.cold => (1000, 1000),
            ColdStarts::AsHere => (0, 0),
            ColdStarts::Permille(low, high) => (low.min(high).min(1000), high.min(1000)),
        };
        let cold = |permille: u64| cold_start_micros(self.bundle_bytes).saturating_mul(permille) / 1000;
        let (cold_low, cold_high) = (cold(rare), cold(frequent));
        let share = |cpu: u64| if memory < LAMBDA_MIB_PER_CPU { cpu.saturating_mul(LAMBDA_MIB_PER_CPU).div_ceil(memory) } else { cpu };
        let (cpu_low, cpu_high) = (self.cpu_micros / assumptions.engine_speed_max.max(1), self.cpu_micros);

        let lambda = self.wall(assumptions, share(cpu_low), share(cpu_high));
        let lambda = Amount { low: milliseconds(lambda.0).into(), high: milliseconds(lambda.1).into() };
        let whole = self.wall(assumptions, cpu_low, cpu_high);
        // A busy instance is never idle between requests, so that nothing is rounded; one that is used now and then rounds every time.
        let run = Amount {
            low: u128::from(whole.0.saturating_add(cold_low)),
            high: u128::from(whole.1.div_ceil(RUN_STEP_MICROS).max(1).saturating_mul(RUN_STEP_MICROS).saturating_add(cold_high)),
        };
        let azure = |wall: u64, mib: u64| u128::from(milliseconds(wall).max(AZURE_MICROS_MIN)) * u128::from(mib);
        let azure_mib = memory.div_ceil(AZURE_STEP_MIB).saturating_mul(AZURE_STEP_MIB).min(AZURE_MIB_MAX);
        let of_memory = |amount: Amount| Amount { low: amount.low * u128::from(memory), high: amount.high * u128::from(memory) };
        [
            (
                Time::LambdaMibMicros,
                of_memory(Amount { low: lambda.low + u128::from(cold_low), high: lambda.high + u128::from(cold_high) }),
            ),
            (Time::RunCpuMicros, run),
            (Time::RunMibMicros, of_memory(run)),
            (Time::AzureMibMicros, Amount { low: azure(whole.0, AZURE_STEP_MIB), high: azure(whole.1, azure_mib) }),
            (Time::WorkerCpuMicros, Amount { low: cpu_low.into(), high: cpu_high.into() }),
        ]
    }

    /// The least and the most wall time where the processor takes so long.
    fn wall(&self, assumptions: &Assumptions, cpu_low: u64, cpu_high: u64) -> (u64, u64) {
        if let Some(permille) = assumptions.measured_permille {
            let wall = (u128::from(self.wall_micros) * u128::from(permille) / 1000).min(u64::MAX.into()) as u64;
            return (wall, wall);
        }
        // Timers and hosts outside take as long there as here.
        let elsewhere = self.wall_micros.saturating_sub(self.cpu_micros.saturating_add(self.service_micros));
        let (fast, slow) = assumptions.service_micros;
        let wall = |cpu: u64, service: u64| cpu.saturating_add(elsewhere).saturating_add(self.service_rounds.saturating_mul(service));
        (wall(cpu_low, fast), wall(cpu_high, slow))
    }
}

/// Rounded up to whole milliseconds, one at least; in microseconds.
fn milliseconds(micros: u64) -> u64 {
    micros.div_ceil(MILLI).max(1).saturating_mul(MILLI)
}

/// How long a cold start takes with a bundle of so many bytes: on straight lines between the measured points, as the shortest below them,
/// on the last line beyond.
pub fn cold_start_micros(bundle_bytes: u64) -> u64 {
    let [first, .., before, last] = COLD_STARTS;
    if bundle_bytes <= first.0 {
        return first.1 * MILLI;
    }
    let line = COLD_STARTS.windows(2).find_map(|pair| match pair {
        [from, to] if bundle_bytes <= to.0 => Some((*from, *to)),
        _ => None,
    });
    let (from, to) = line.unwrap_or((before, last));
    let along = u128::from(bundle_bytes - from.0) * u128::from((to.1 - from.1) * MILLI) / u128::from(to.0 - from.0);
    (from.1 * MILLI).saturating_add(along.min(u64::MAX.into()) as u64)
}

/// How many of these waits, each (began, length), came one after another: the longest row of waits that do not overlap.
pub fn rounds(waits: impl IntoIterator<Item = (u64, u64)>) -> u64 {
    let mut ends: Vec<(u64, u64)> = waits.into_iter().map(|(began, length)| (began.saturating_add(length), began)).collect();
    ends.sort_unstable();
    let mut count = 0;
    let mut free_from = 0;
    for (end, began) in ends {
        if count == 0 || began >= free_from {
            count += 1;
            free_from = end;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn billed(compute: Compute, time: Time, assumptions: &Assumptions) -> (u128, u128) {
        let found = compute.billed(assumptions).into_iter().find(|(of, _)| *of == time);
        found.map(|(_, amount)| (amount.low, amount.high)).expect("every time is billed")
    }

    const WARM: Assumptions = Assumptions {
        engine_speed_max: 10,
        service_micros: (2_000, 10_000),
        cold_starts: ColdStarts::Permille(0, 0),
        measured_permille: None,
    };

    #[test]
    fn lambda_bills_whole_milliseconds_of_the_configured_memory() {
        let compute = Compute { wall_micros: 1_300, cpu_micros: 1_300, memory_mib: 1769, ..Compute::default() };
        assert_eq!(billed(compute, Time::LambdaMibMicros, &WARM), (1_000 * 1769, 2_000 * 1769));
        let idle = Compute { memory_mib: 128, ..Compute::default() };
        assert_eq!(billed(idle, Time::LambdaMibMicros, &WARM), (128_000, 128_000), "one millisecond at least");
    }

    #[test]
    fn lambda_gives_little_memory_little_processor() {
        let compute = Compute { wall_micros: 10_000, cpu_micros: 10_000, memory_mib: 128, ..Compute::default() };
        let (_, high) = billed(compute, Time::LambdaMibMicros, &WARM);
        assert_eq!(high, 139_000 * 128, "10 ms × 1769/128, rounded up");
    }

    #[test]
    fn a_wait_for_a_service_takes_a_services_time_and_a_timer_its_own() {
        let compute = Compute {
            wall_micros: 51_000,
            cpu_micros: 0,
            memory_mib: 2048,
            service_rounds: 3,
            service_micros: 1_000,
            ..Compute::default()
        };
        assert_eq!(billed(compute, Time::LambdaMibMicros, &WARM), (56_000 * 2048, 80_000 * 2048));
        assert_eq!(billed(compute, Time::WorkerCpuMicros, &WARM), (0, 0), "who waits uses no processor");
    }

    #[test]
    fn cloud_run_rounds_an_idle_instance_up_to_100_ms() {
        let compute = Compute { wall_micros: 101_000, memory_mib: 512, ..Compute::default() };
        assert_eq!(billed(compute, Time::RunCpuMicros, &WARM), (101_000, 200_000));
        assert_eq!(billed(compute, Time::RunMibMicros, &WARM), (101_000 * 512, 200_000 * 512));
    }

    #[test]
    fn azure_bills_100_ms_and_128_mb_at_least() {
        let compute = Compute { wall_micros: 7_000, memory_mib: 200, ..Compute::default() };
        assert_eq!(billed(compute, Time::AzureMibMicros, &WARM), (100_000 * 128, 100_000 * 256));
        let large = Compute { wall_micros: 2_000_000, memory_mib: 4096, ..Compute::default() };
        assert_eq!(billed(large, Time::AzureMibMicros, &WARM).1, 2_000_000 * 1536);
    }

    #[test]
    fn workers_bill_processor_time_only() {
        let compute = Compute { wall_micros: 900_000, cpu_micros: 7_000, memory_mib: 128, ..Compute::default() };
        assert_eq!(billed(compute, Time::WorkerCpuMicros, &WARM), (700, 7_000));
    }

    #[test]
    fn a_measure_from_production_replaces_the_guess() {
        let measured = Assumptions { measured_permille: Some(2_500), ..WARM };
        let compute = Compute { wall_micros: 4_000, cpu_micros: 4_000, memory_mib: 100, service_rounds: 9, ..Compute::default() };
        assert_eq!(billed(compute, Time::LambdaMibMicros, &measured), (10_000 * 100, 10_000 * 100));
    }

    #[test]
    fn a_cold_start_grows_with_the_bundle() {
        for (bytes, millis) in [
            (0, 171),
            (1 << 10, 171),
            (1 << 20, 197),
            (4 << 20, 280),
            (10 << 20, 464),
            (16 << 20, 649),
            (64 << 20, 3110),
            (112 << 20, 5571),
        ] {
            assert_eq!(cold_start_micros(bytes) / 1000, millis, "{bytes} bytes");
        }
        let compute = Compute { memory_mib: 1024, bundle_bytes: 1 << 20, ..Compute::default() };
        for (cold_starts, cold, wanted) in [
            (ColdStarts::Permille(0, 1000), false, (1_000 * 1024, 198_000 * 1024)),
            (ColdStarts::Permille(0, 100), true, (1_000 * 1024, 20_700 * 1024)),
            (ColdStarts::AsHere, true, (198_000 * 1024, 198_000 * 1024)),
            (ColdStarts::AsHere, false, (1_000 * 1024, 1_000 * 1024)),
        ] {
            let assumptions = Assumptions { cold_starts, ..WARM };
            assert_eq!(billed(Compute { cold, ..compute }, Time::LambdaMibMicros, &assumptions), wanted, "{cold_starts:?}");
        }
    }

    #[test]
    fn calls_made_at_once_are_one_wait() {
        for (waits, wanted) in [
            (vec![], 0),
            (vec![(0, 10)], 1),
            (vec![(0, 0)], 1),
            (vec![(0, 10), (0, 12), (1, 10)], 1),
            (vec![(0, 10), (10, 10), (20, 10)], 3),
            (vec![(0, 100), (0, 10), (20, 10), (90, 30)], 3),
        ] {
            assert_eq!(rounds(waits.clone()), wanted, "{waits:?}");
        }
    }

    proptest! {
        #[test]
        fn the_least_is_never_more_than_the_most(wall: u64, cpu: u64, memory_mib: u32, bundle_bytes: u64, service_rounds: u64, service_micros: u64) {
            let compute = Compute { wall_micros: wall, cpu_micros: cpu, memory_mib, cold: true, bundle_bytes, service_rounds, service_micros };
            for (time, amount) in compute.billed(&Assumptions::default()) {
                prop_assert!(amount.low <= amount.high, "{time:?} {amount:?}");
            }
        }

        #[test]
        fn a_larger_bundle_never_starts_faster(a: u64, b: u64) {
            prop_assert!(cold_start_micros(a.min(b)) <= cold_start_micros(a.max(b)));
        }
    }
}
