//! Schedules of Firebase's functions: when they are due, and what a run gets. Sources: "Schedule functions" (both generations), the headers
//! of Cloud Scheduler, and the defaults of the Firebase CLI for time zones.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::base::Time;
use crate::project::firebase::{Endpoint, Generation, ScheduleTrigger};
use crate::project::timetable::{Error, Timetable};
use crate::services::schedules::{self, Plan, Run};

/// The time zone of schedules that name none, by generation.
fn zone(generation: Generation) -> &'static str {
    match generation {
        Generation::First => "America/Los_Angeles",
        Generation::Second => "UTC",
    }
}

/// A function's schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Scheduled {
    pub function: Arc<str>,
    /// What Cloud Scheduler calls the job.
    pub job: String,
    pub generation: Generation,
    pub trigger: ScheduleTrigger,
}

impl Scheduled {
    pub fn of(function: Arc<str>, endpoint: &Endpoint, trigger: &ScheduleTrigger) -> Scheduled {
        let job = format!("firebase-schedule-{function}-{}", endpoint.region());
        Scheduled { function, job, generation: endpoint.generation, trigger: trigger.clone() }
    }

    /// The plan of it. Fails where the schedule or its time zone cannot be understood.
    pub fn plan(&self) -> Result<Plan, Error> {
        let zone = self.trigger.time_zone.as_deref().unwrap_or_else(|| zone(self.generation));
        let timetable = Timetable::parse(&self.trigger.expression, zone)?;
        let expression = match &self.trigger.time_zone {
            Some(zone) => format!("{} ({zone})", self.trigger.expression),
            None => self.trigger.expression.clone(),
        };
        Ok(Plan {
            name: self.job.clone(),
            expression,
            function: self.function.to_string(),
            enabled: true,
            input: None,
            timetable: Arc::new(Written(timetable)),
        })
    }

    /// What a run gets; `id` is of the run.
    pub fn input(&self, run: &Run, project: &str, id: &str) -> Value {
        let at = run.at.iso();
        match self.generation {
            Generation::First => json!({
                "$emu": "event",
                "data": { "@type": "type.googleapis.com/google.pubsub.v1.PubsubMessage", "attributes": { "scheduled": "true" }, "data": "" },
                "context": {
                    "eventId": id,
                    "timestamp": at,
                    "eventType": "google.pubsub.topic.publish",
                    "resource": {
                        "service": "pubsub.googleapis.com",
                        "name": format!("projects/{project}/topics/{}", self.job),
                        "type": "type.googleapis.com/google.pubsub.v1.PubsubMessage",
                    },
                },
            }),
            Generation::Second => json!({
                "$emu": "http",
                "method": "POST",
                "url": "/",
                "ip": "127.0.0.1",
                "headers": [
                    ["host", "localhost"],
                    ["user-agent", "Google-Cloud-Scheduler"],
                    ["x-cloudscheduler", "true"],
                    ["x-cloudscheduler-jobname", self.job],
                    ["x-cloudscheduler-scheduletime", at],
                ],
            }),
        }
    }
}

/// A timetable as the schedules want it.
struct Written(Timetable);

impl schedules::Timetable for Written {
    fn next_after(&self, time: Time, begun: Time) -> Option<Time> {
        self.0.next_after(time, begun)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::firebase::{Retry, Trigger};

    fn scheduled(generation: Generation, expression: &str) -> Scheduled {
        let trigger = ScheduleTrigger { expression: expression.into(), time_zone: None, retry: Retry::default() };
        let endpoint = Endpoint {
            codebase: "default".into(),
            entry_point: "nightly".into(),
            generation,
            regions: vec!["europe-west1".into()],
            trigger: Trigger::Schedule(trigger.clone()),
            secrets: vec![],
        };
        Scheduled::of("nightly".into(), &endpoint, &trigger)
    }

    #[test]
    fn a_schedule_without_a_zone_goes_by_that_of_its_generation() {
        let start = Time(1_795_000_000_000); // 2026-11-18 11:06 UTC
        for (generation, wanted) in [(Generation::First, "2026-11-18T17:00:00.000Z"), (Generation::Second, "2026-11-19T09:00:00.000Z")] {
            let plan = scheduled(generation, "every day 09:00").plan().expect("a schedule");
            assert_eq!(plan.timetable.next_after(start, start).map(Time::iso).as_deref(), Some(wanted));
            assert_eq!(plan.name, "firebase-schedule-nightly-europe-west1");
        }
        assert!(scheduled(Generation::Second, "now and then").plan().is_err());
    }

    #[test]
    fn a_run_is_told_when_it_was_due() {
        let run = Run { name: "j".into(), function: "nightly".into(), input: None, at: Time(1_000) };
        let second = scheduled(Generation::Second, "* * * * *").input(&run, "p", "id");
        assert_eq!(second["headers"][4], json!(["x-cloudscheduler-scheduletime", "1970-01-01T00:00:01.000Z"]));
        let first = scheduled(Generation::First, "* * * * *").input(&run, "p", "id");
        assert_eq!(first["context"]["resource"]["name"], "projects/p/topics/firebase-schedule-nightly-europe-west1");
        assert_eq!(first["context"]["timestamp"], "1970-01-01T00:00:01.000Z");
    }
}
