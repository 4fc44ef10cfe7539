//! Schedules: what is to be done when, and when it was done last. Knows neither functions nor any syntax of expressions:
//! whoever uses it says when a schedule is due and what to do then.
//!
//! A time is due exactly once: [`Schedules::take_due_in`] hands it out and moves on to the next in one transaction. Where the
//! clock is moved past several times they are handed out in order (at most [`MISSED_MAX`]); times that pass while emu is
//! off are not made up for ([`Schedules::resume`]), as nobody wants a night's worth of runs at breakfast.

pub mod portable;
mod store;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::{Call, Time, Unit};
use crate::store::{Db, Tx};

pub use store::SCHEMA;

/// Times of one schedule that are handed out at once; where more were missed, the rest of them are left out.
pub const MISSED_MAX: usize = 1_000;

/// The key to give to [`Db::woken`] to learn that schedules were changed.
pub const WAKE: &str = "schedules";

/// What can go wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Store(#[from] crate::store::Error),
}

/// When a schedule is due.
pub trait Timetable: Send + Sync {
    /// The first time after `time`, for a schedule that began at `begun`; `None` where there is none any more.
    fn next_after(&self, time: Time, begun: Time) -> Option<Time>;
}

/// A schedule as somebody wants it.
#[derive(Clone)]
pub struct Plan {
    pub name: String,
    /// As written; a change of it makes the schedule begin anew.
    pub expression: String,
    pub function: String,
    pub enabled: bool,
    /// JSON that takes the place of the usual event.
    pub input: Option<String>,
    pub timetable: Arc<dyn Timetable>,
}

/// A schedule as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    pub name: String,
    pub expression: String,
    pub function: String,
    pub enabled: bool,
    pub input: Option<String>,
    pub begun: Time,
    pub last_run: Option<Time>,
    /// `None` where it is off, or over.
    pub next_run: Option<Time>,
}

/// A time at which a schedule was due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    pub name: String,
    pub function: String,
    pub input: Option<String>,
    pub at: Time,
}

/// The schedules of a World. Cheap to clone.
#[derive(Clone)]
pub struct Schedules {
    db: Db,
}

impl Schedules {
    /// The schedules kept in `db`.
    pub fn new(db: Db) -> Schedules {
        Schedules { db }
    }

    /// Makes the schedules what `plans` say: new ones begin now, changed ones begin anew, others go on, missing ones end.
    pub async fn reconcile(&self, call: &Call, plans: &[Plan]) -> Result<(), Error> {
        let plans = plans.to_vec();
        self.db.write(call, move |tx| reconcile_in(tx, &plans)).await
    }

    /// Skips the times that passed while nobody looked. For the start, before [`Schedules::take_due_in`] is first called.
    pub async fn resume(&self, call: &Call, plans: &[Plan]) -> Result<(), Error> {
        let plans = plans.to_vec();
        self.db.write(call, move |tx| skip_missed_in(tx, &plans)).await
    }

    /// As [`Schedules::resume`] and then [`Schedules::reconcile`], where another state takes the place of the one there was.
    pub fn begin_in(tx: &mut Tx<'_>, plans: &[Plan]) -> Result<(), Error> {
        skip_missed_in(tx, plans)?;
        reconcile_in(tx, plans)
    }

    /// Hands out what is due by now, in the order of the times, and moves the schedules on.
    pub fn take_due_in(tx: &mut Tx<'_>, plans: &[Plan]) -> Result<Vec<Run>, Error> {
        take_due_in(tx, plans)
    }

    /// When the next schedule is due.
    pub async fn next_due(&self, call: &Call) -> Result<Option<Time>, Error> {
        self.db.read(call, |tx| Ok(store::next_due(tx)?)).await
    }

    /// All schedules, by name.
    pub async fn list(&self, call: &Call) -> Result<Vec<Schedule>, Error> {
        self.db.read(call, |tx| Ok(store::all(tx)?)).await
    }
}

fn reconcile_in(tx: &mut Tx<'_>, plans: &[Plan]) -> Result<(), Error> {
    let now = tx.now();
    let mut old = store::all(tx)?;
    let wanted: BTreeSet<&str> = plans.iter().map(|plan| plan.name.as_str()).collect();
    tx.keep(Unit::Schedules, wanted.len() as i64 - old.len() as i64);
    for plan in plans {
        let known = old.iter().position(|schedule| schedule.name == plan.name).map(|index| old.swap_remove(index));
        let goes_on = known.filter(|known| known.expression == plan.expression && known.function == plan.function);
        let begun = goes_on.as_ref().map_or(now, |known| known.begun);
        // One that was off goes on with its next time from now, not with what it missed.
        let next_run = match goes_on.as_ref().and_then(|known| known.next_run) {
            Some(next) if plan.enabled => Some(next),
            None if plan.enabled => plan.timetable.next_after(now, begun),
            _ => None,
        };
        let schedule = Schedule {
            name: plan.name.clone(),
            expression: plan.expression.clone(),
            function: plan.function.clone(),
            enabled: plan.enabled,
            input: plan.input.clone(),
            begun,
            last_run: goes_on.and_then(|known| known.last_run),
            next_run,
        };
        store::put_in(tx, &schedule)?;
    }
    for gone in old {
        store::remove_in(tx, &gone.name)?;
    }
    tx.wake(WAKE);
    Ok(())
}

fn skip_missed_in(tx: &mut Tx<'_>, plans: &[Plan]) -> Result<(), Error> {
    let now = tx.now();
    for mut schedule in store::due(tx)? {
        let plan = plans.iter().find(|plan| plan.name == schedule.name);
        schedule.next_run = plan.and_then(|plan| plan.timetable.next_after(now, schedule.begun));
        store::put_in(tx, &schedule)?;
    }
    Ok(())
}

fn take_due_in(tx: &mut Tx<'_>, plans: &[Plan]) -> Result<Vec<Run>, Error> {
    let now = tx.now();
    let mut runs = Vec::new();
    for mut schedule in store::due(tx)? {
        // A schedule without a plan is about to be removed.
        let Some(plan) = plans.iter().find(|plan| plan.name == schedule.name) else { continue };
        let mut handed_out = 0;
        while let Some(at) = schedule.next_run.filter(|at| *at <= now) {
            if handed_out == MISSED_MAX {
                tracing::warn!(
                    schedule = schedule.name,
                    "the clock passed more than {MISSED_MAX} of its times; the later ones are left out"
                );
                schedule.next_run = plan.timetable.next_after(now, schedule.begun);
                break;
            }
            runs.push(Run { name: schedule.name.clone(), function: schedule.function.clone(), input: schedule.input.clone(), at });
            handed_out += 1;
            schedule.last_run = Some(at);
            schedule.next_run = plan.timetable.next_after(at, schedule.begun).filter(|next| *next > at);
        }
        store::put_in(tx, &schedule)?;
    }
    runs.sort_by_key(|run| run.at);
    Ok(runs)
}
