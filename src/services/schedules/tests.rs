use std::sync::Arc;

use super::*;
use crate::base::{Clock, Ids};
use crate::store::Options;

/// Every so many milliseconds from its beginning.
struct Every(i64);

impl Timetable for Every {
    fn next_after(&self, time: Time, begun: Time) -> Option<Time> {
        Some(begun.plus_ms(((time.0 - begun.0).div_euclid(self.0) + 1) * self.0))
    }
}

fn plan(name: &str, every_ms: i64) -> Plan {
    Plan {
        name: name.into(),
        expression: format!("every {every_ms}"),
        function: "f".into(),
        enabled: true,
        input: None,
        timetable: Arc::new(Every(every_ms)),
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    clock: Clock,
    db: Db,
    schedules: Schedules,
}

fn bench() -> Bench {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = Clock::frozen(Time(1_000));
    let options = Options { path: folder.path().join("state.db"), clock: clock.clone(), ids: Ids::seeded(1), ephemeral: true };
    let db = Db::open(options, &[&SCHEMA]).expect("a new database opens");
    Bench { _folder: folder, clock, schedules: Schedules::new(db.clone()), db }
}

impl Bench {
    async fn reconcile(&self, plans: &[Plan]) {
        self.schedules.reconcile(&Call::operator(), plans).await.expect("reconciled");
    }

    async fn due(&self, plans: &[Plan]) -> String {
        let plans = plans.to_vec();
        let runs = self.db.write(&Call::operator(), move |tx| Schedules::take_due_in(tx, &plans)).await.expect("the due times");
        runs.iter().map(|run| format!("{}@{}", run.name, run.at.0)).collect::<Vec<_>>().join(" ")
    }
}

#[tokio::test]
async fn a_rate_runs_one_period_after_its_beginning_and_stays_on_its_grid() {
    let (bench, plans) = (bench(), [plan("a", 500)]);
    bench.reconcile(&plans).await;
    assert_eq!(bench.due(&plans).await, "");
    bench.clock.advance_ms(499);
    assert_eq!(bench.due(&plans).await, "");
    bench.clock.advance_ms(101);
    assert_eq!(bench.due(&plans).await, "a@1500");
    assert_eq!(bench.due(&plans).await, "", "each time is handed out once");
    assert_eq!(bench.schedules.next_due(&Call::operator()).await.expect("a time"), Some(Time(2_000)));
}

#[tokio::test]
async fn a_clock_that_jumps_hands_out_every_time_in_order() {
    let (bench, plans) = (bench(), [plan("a", 300), plan("b", 400)]);
    bench.reconcile(&plans).await;
    bench.clock.advance_ms(1_000);
    assert_eq!(bench.due(&plans).await, "a@1300 b@1400 a@1600 b@1800 a@1900");
}

#[tokio::test]
async fn a_very_long_jump_is_cut_off_and_goes_on_with_the_next_time() {
    let (bench, plans) = (bench(), [plan("a", 10)]);
    bench.reconcile(&plans).await;
    bench.clock.advance_ms(1_000_005);
    assert_eq!(bench.due(&plans).await.split(' ').count(), MISSED_MAX);
    assert_eq!(bench.schedules.next_due(&Call::operator()).await.expect("a time"), Some(Time(1_001_010)));
}

#[tokio::test]
async fn times_that_pass_while_emu_is_off_are_not_made_up_for() {
    let (bench, plans) = (bench(), [plan("a", 300)]);
    bench.reconcile(&plans).await;
    bench.clock.advance_ms(1_000);
    bench.schedules.resume(&Call::operator(), &plans).await.expect("resumed");
    assert_eq!(bench.due(&plans).await, "");
    bench.clock.advance_ms(200);
    assert_eq!(bench.due(&plans).await, "a@2200");
}

#[tokio::test]
async fn a_reload_keeps_what_is_unchanged_and_begins_anew_what_changed() {
    let bench = bench();
    bench.reconcile(&[plan("a", 300), plan("b", 300), plan("c", 300)]).await;
    bench.clock.advance_ms(200);
    let mut off = plan("d", 100);
    off.enabled = false;
    let plans = [plan("a", 300), plan("b", 500), off];
    bench.reconcile(&plans).await;
    let list = bench.schedules.list(&Call::operator()).await.expect("the schedules");
    let told: Vec<String> = list.iter().map(|s| format!("{} {:?}", s.name, s.next_run.map(Time::millis))).collect();
    assert_eq!(told, ["a Some(1300)", "b Some(1700)", "d None"]);
    let kept = bench.db.stocks(&Call::operator()).await.expect("the stocks");
    assert_eq!(kept.get(Unit::Schedules), 3, "one that is off is kept too");
    let on = [plan("a", 300), plan("b", 500), plan("d", 100)];
    bench.clock.advance_ms(150);
    bench.reconcile(&on).await;
    assert_eq!(bench.due(&on).await, "a@1300");
    assert_eq!(bench.schedules.next_due(&Call::operator()).await.expect("a time"), Some(Time(1_400)));
}
