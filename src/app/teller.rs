//! What happens inside of services and nobody asked for there, told as records.

use std::time::Instant;

use super::world::World;
use crate::base::Usage;
use crate::telemetry::{self, Delivery, Mail, Outcome, Record, Sink};

/// Characters of a mail's subject that its record keeps.
const SUBJECT_CHARS_MAX: usize = 1_000;

/// Has every mail that arrives told of.
pub(super) fn tell_of_mails(world: &World, sink: &Sink) {
    let sink = sink.clone();
    world.services.mail.listen(Box::new(move |call, mail| {
        sink.put(|| {
            Record::Mail(Mail {
                id: mail.id.as_str().into(),
                trace: call.trace.clone(),
                parent: call.cause.clone(),
                at: mail.at,
                began_micros: sink.span(Instant::now()).began_micros,
                from: mail.source.clone(),
                to: mail.addresses().skip(1).map(str::to_owned).collect(),
                subject: mail.subject.chars().take(SUBJECT_CHARS_MAX).collect(),
            })
        });
    }));
}

/// Has every push that arrives told of.
pub(super) fn tell_of_pushes(world: &World, sink: &Sink) {
    let sink = sink.clone();
    world.services.pushes.listen(Box::new(move |call, push| {
        sink.put(|| {
            let (title, body) = push.shown();
            Record::Push(telemetry::Push {
                id: push.id.as_str().into(),
                trace: call.trace.clone(),
                parent: call.cause.clone(),
                at: push.at,
                began_micros: sink.span(Instant::now()).began_micros,
                to: push.target.text().to_owned(),
                count: push.count,
                title: title.or(body).unwrap_or_default().chars().take(SUBJECT_CHARS_MAX).collect(),
            })
        });
    }));
}

/// Has every message told of that moves to a queue's dead-letter queue.
pub(super) fn tell_of_dead_letters(world: &World, sink: &Sink) {
    let (sink, clock) = (sink.clone(), world.db.clock().clone());
    world.services.queues.listen(Box::new(move |buried| {
        sink.put(|| {
            let place = format!("queue/{}", buried.dead_letters);
            let times = if buried.receives == 1 { "once".to_owned() } else { format!("{} times", buried.receives) };
            Record::Delivery(Delivery {
                trace: buried.origin.trace.clone(),
                parent: buried.origin.cause.clone(),
                event: None,
                at: clock.now(),
                span: sink.span(Instant::now()),
                source: format!("queues/{}", buried.queue),
                target: place.clone(),
                depth: buried.origin.depth,
                attempt: buried.receives,
                outcome: Outcome::Refused { message: format!("it was received {times} and not deleted") },
                again: None,
                dead: Some(place),
                own: Usage::default(),
            })
        });
    }));
}
