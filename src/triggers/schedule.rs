//! Fires schedules: waits on the World's clock, and writes one delivery for each time that is due.

use std::sync::Arc;

use super::engine::DATABASE_RETRY;
use super::store::{self, Draft, Origin, Target};
use super::table::Table;
use super::world::World;
use crate::base::{Call, Cause, Time, TraceId};
use crate::project::schedule::{self, Expression};
use crate::services::schedules::{self, Plan, Run, Schedules, Timetable};
use crate::store::Tx;
use crate::wire::aws::events::scheduled;

/// The schedules as the current project has them.
#[derive(Default)]
pub(super) struct Planned {
    pub(super) plans: Vec<Plan>,
}

/// An expression of the project file as a timetable: rates stay on the grid that began with them.
struct Written(Expression);

impl Timetable for Written {
    fn next_after(&self, time: Time, begun: Time) -> Option<Time> {
        match &self.0 {
            Expression::Rate { every_ms } if *every_ms > 0 => {
                let periods = time.0.checked_sub(begun.0)?.div_euclid(*every_ms).checked_add(1)?;
                begun.0.checked_add(periods.max(1).checked_mul(*every_ms)?).map(Time)
            }
            Expression::Rate { .. } => None,
            other => other.next_after(time),
        }
    }
}

/// The plans of a table, and which schedules cannot be understood.
pub(super) fn plans(table: &Table) -> (Vec<Plan>, Vec<String>) {
    let (mut plans, mut problems) = (Vec::new(), Vec::new());
    for (function, schedule) in &table.schedules {
        match schedule::parse(&schedule.expression) {
            Ok(expression) => plans.push(Plan {
                name: schedule.name.clone(),
                expression: schedule.expression.clone(),
                function: function.to_string(),
                enabled: schedule.enabled,
                input: schedule.input.as_ref().map(ToString::to_string),
                timetable: Arc::new(Written(expression)),
            }),
            Err(error) => problems.push(format!("schedule `{}` of function `{function}`: {error}", schedule.name)),
        }
    }
    for scheduled in &table.scheduled {
        match scheduled.plan() {
            Ok(plan) => plans.push(plan),
            Err(error) => problems.push(format!("function `{}`: {error}; it does not run until that is mended", scheduled.function)),
        }
    }
    (plans, problems)
}

/// Runs until the World stops.
pub(super) async fn run(world: Arc<World>) {
    let schedules = Schedules::new(world.db.clone());
    while !world.stopping() {
        let changed = world.db.woken(schedules::WAKE);
        let mut changed = std::pin::pin!(changed.notified());
        changed.as_mut().enable();
        let next = match fire(&world, &schedules).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "schedules wait: the database could not be used");
                tokio::select! { () = tokio::time::sleep(DATABASE_RETRY) => continue, () = world.stop.cancelled() => return }
            }
        };
        world.touched();
        let due = async {
            match next {
                Some(time) => world.db.clock().sleep_until(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => {}
            () = due => {}
            () = world.stop.cancelled() => {}
        }
    }
}

/// Writes the delivery of a time that is due, in a trace of its own.
fn call_in(tx: &mut Tx<'_>, table: &Table, run: Run) -> Result<(), crate::store::Error> {
    let of_firebase = table.scheduled.iter().find(|scheduled| scheduled.job == run.name);
    let event = match (&run.input, of_firebase) {
        (Some(input), _) => input.clone(),
        (None, Some(scheduled)) => scheduled.input(&run, &table.project_id, &tx.ids().uuid()).to_string(),
        (None, None) => scheduled(&table.account, &run.name, &tx.ids().uuid(), run.at).to_string(),
    };
    let age_max_ms = table.functions.get(run.function.as_str()).map_or(0, |callee| callee.event_age_max_ms);
    // A schedule that has no name of its own is its function's.
    let own = of_firebase.is_some() || run.name.strip_prefix(run.function.as_str()).is_some_and(|rest| rest.starts_with("-schedule-"));
    let source = format!("schedule/{}", if own { &run.function } else { &run.name });
    let draft = Draft {
        target: Target::Function(run.function.as_str().into()),
        payload: event.into(),
        envelope: None,
        source,
        age_max_ms,
        origin: Origin { trace: TraceId(tx.ids().hex(16).into()), cause: Cause::Operator, depth: 0 },
    };
    store::insert_in(tx, &draft).map(|_| ())
}

/// Calls a schedule's function as if it were due now; when it is due next stays as it is. False where there is none of that name.
pub(super) async fn fire_now(world: &Arc<World>, call: &Call, name: &str) -> Result<bool, crate::store::Error> {
    let Some(plan) = world.planned.load().plans.iter().find(|plan| plan.name == name).cloned() else { return Ok(false) };
    let table = world.table.load_full();
    let run = move |at| Run { name: plan.name, function: plan.function, input: plan.input, at };
    world.db.write(call, move |tx| call_in(tx, &table, run(tx.now()))).await?;
    Ok(true)
}

/// Fires what is due; answers when to look again.
async fn fire(world: &Arc<World>, schedules: &Schedules) -> Result<Option<Time>, schedules::Error> {
    let call = Call::operator();
    let planned = world.planned.load_full();
    let next = schedules.next_due(&call).await?;
    if next.is_none_or(|next| next > world.db.now()) {
        return Ok(next);
    }
    let table = world.table.load_full();
    let taken_at = world
        .db
        .write(&call, move |tx| {
            for run in Schedules::take_due_in(tx, &planned.plans)? {
                call_in(tx, &table, run)?;
            }
            Ok::<_, schedules::Error>(tx.now())
        })
        .await?;
    // What was due then and still is belongs to no plan; a new plan will wake us. The clock may have been moved since: what has become due
    // by that is for the next look.
    Ok(schedules.next_due(&call).await?.filter(|next| *next > taken_at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_stays_on_its_grid_whenever_it_is_asked() {
        let minute = Written(schedule::parse("rate(1 minute)").expect("a rate"));
        for (time, wanted) in [(1_000, 61_000), (60_999, 61_000), (61_000, 121_000), (200_000, 241_000), (0, 61_000)] {
            assert_eq!(minute.next_after(Time(time), Time(1_000)), Some(Time(wanted)), "after {time}");
        }
        let hourly = Written(schedule::parse("cron(0 * * * ? *)").expect("a cron expression"));
        assert_eq!(hourly.next_after(Time(1), Time(1)), Some(Time(3_600_000)));
    }
}
