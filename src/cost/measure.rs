//! What prices count: the units of work, and the time that providers bill for functions, each by its own rule.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::base::Unit;

macro_rules! times {
    ($($(#[$doc:meta])* $name:ident = $label:literal,)*) => {
        /// Billed time of functions, by the rule of who bills it (see [`super::Compute`]).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Time { $($(#[$doc])* $name,)* }

        impl Time {
            /// All of them.
            pub const ALL: &'static [Time] = &[$(Time::$name),*];

            /// A stable name for files.
            pub fn label(self) -> &'static str {
                match self { $(Time::$name => $label),* }
            }
        }
    };
}

times! {
    /// AWS Lambda: wall time in whole milliseconds times configured memory; MiB·µs.
    LambdaMibMicros = "lambda-mib-micros",
    /// Google Cloud Run: an instance's time in steps of 100 ms times its processors; µs.
    RunCpuMicros = "run-cpu-micros",
    /// Google Cloud Run: an instance's time in steps of 100 ms times its memory; MiB·µs.
    RunMibMicros = "run-mib-micros",
    /// Azure Functions: wall time, 100 ms at least, times memory in steps of 128 MB; MiB·µs.
    AzureMibMicros = "azure-mib-micros",
    /// Cloudflare Workers: processor time; µs.
    WorkerCpuMicros = "worker-cpu-micros",
}

/// What a price counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Work that was counted, exactly.
    Unit(Unit),
    /// Time of functions, estimated.
    Time(Time),
}

impl Measure {
    /// Every measure.
    pub fn all() -> impl Iterator<Item = Measure> {
        Unit::ALL.iter().map(|unit| Measure::Unit(*unit)).chain(Time::ALL.iter().map(|time| Measure::Time(*time)))
    }

    /// A stable name for files.
    pub fn label(self) -> &'static str {
        match self {
            Measure::Unit(unit) => unit.label(),
            Measure::Time(time) => time.label(),
        }
    }

    /// The measure that a label stands for.
    pub fn of(label: &str) -> Option<Measure> {
        Measure::all().find(|measure| measure.label() == label)
    }

    /// Whether it is kept for a month, rather than done.
    pub fn is_stock(self) -> bool {
        matches!(self, Measure::Unit(unit) if unit.is_stock())
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

impl Serialize for Measure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.label())
    }
}

impl<'de> Deserialize<'de> for Measure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Measure, D::Error> {
        let label = String::deserialize(deserializer)?;
        Measure::of(&label).ok_or_else(|| {
            let shown: String = label.chars().take(40).collect();
            let near = Measure::all().map(Measure::label).min_by_key(|known| strsim::damerau_levenshtein(known, &shown));
            de::Error::custom(format!("nothing is counted as `{shown}`; the nearest is `{}`", near.unwrap_or_default()))
        })
    }
}
