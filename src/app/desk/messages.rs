//! What is sent: queues, topics, mail, schedules, and what could not be delivered.

use anyhow::{Context, bail};
use serde_json::{Value, json};

use super::{
    DEAD_LETTERS, Desk, Found, MAIL, PUSHES, QUEUE, ROWS_MAX, Row, SCHEDULES, Shelf, ShelfId, TOPIC, Uses, columns, fits, html, shelf,
};
use crate::base::{Call, Time};
use crate::project::{EventSource, Function};
use crate::services::mail::Message as Mail;
use crate::services::push::Push;
use crate::services::queues::{Message, Queues};
use crate::services::schedules::Schedule;
use crate::services::topics::Topics;

/// Begins the keys of subscriptions that the project file makes; those of others are ARNs.
const OWN: &str = "function:";
/// Names of one page.
const PAGE: i64 = 1_000;
/// Messages of a queue that are looked at.
const PEEKED_MAX: usize = 5_000;

impl Desk {
    pub(super) async fn message_shelves(&self) -> anyhow::Result<Vec<Shelf>> {
        let (services, call) = (&self.shared.world.services, Call::operator());
        let mut shelves = Vec::new();
        for name in queue_names(&services.queues, &call).await? {
            let Ok(described) = services.queues.describe(&call, &name).await else { continue };
            let redrive = services.queues.sources(&call, &name, "", 1).await.is_ok_and(|sources| !sources.names.is_empty());
            let mut holds = described.visible.to_string();
            for (n, word) in [(described.in_flight, "in flight"), (described.delayed, "delayed")] {
                if n > 0 {
                    holds.push_str(&format!(" + {n} {word}"));
                }
            }
            shelves.push(shelf(QUEUE, &name, holds, Uses { delete: true, purge: true, redrive, ..Uses::default() }));
        }
        for name in topic_names(&services.topics, &call).await? {
            let Ok(described) = services.topics.describe(&call, &name).await else { continue };
            let pending = if described.pending > 0 { format!(" + {} pending", described.pending) } else { String::new() };
            let subscribed = described.confirmed + self.called_by(&name).len() as u64;
            shelves.push(shelf(TOPIC, &name, format!("{subscribed}{pending}"), Uses::default()));
        }
        let schedules = self.shared.triggers.schedules().list(&call).await?.len();
        shelves.push(shelf(SCHEDULES, "", schedules.to_string(), Uses { fire: true, ..Uses::default() }));
        let mails = services.mail.inbox(&call, None, None, ROWS_MAX).await?.len();
        let more = if mails == ROWS_MAX { "+" } else { "" };
        shelves.push(shelf(MAIL, "", format!("{mails}{more}"), Uses { delete: true, purge: true, ..Uses::default() }));
        // Only Firebase's projects have them.
        if self.shared.project().firebase.is_some() {
            let pushes = services.pushes.inbox(&call, None, ROWS_MAX).await?.len();
            let more = if pushes == ROWS_MAX { "+" } else { "" };
            shelves.push(shelf(PUSHES, "", format!("{pushes}{more}"), Uses { delete: true, purge: true, ..Uses::default() }));
        }
        let letters = self.shared.triggers.stats().await?.dead_letters;
        shelves.push(shelf(DEAD_LETTERS, "", letters.to_string(), Uses { redrive: true, purge: true, ..Uses::default() }));
        Ok(shelves)
    }

    pub(super) async fn message_rows(&self, shelf: &ShelfId, search: &str) -> anyhow::Result<(Vec<String>, Found)> {
        let (titles, rows) = match &*shelf.kind {
            QUEUE => (columns(&["sent", "state", "received", "body"]), self.queued(&shelf.name).await?),
            TOPIC => (columns(&["protocol", "endpoint", "state"]), self.subscribed(&shelf.name).await?),
            SCHEDULES => (columns(&["name", "next", "when", "function", "last"]), self.scheduled().await?),
            MAIL => (columns(&["time", "to", "subject"]), self.inbox().await?),
            PUSHES => (columns(&["time", "to", "devices", "title"]), self.pushed().await?),
            DEAD_LETTERS => (columns(&["time", "from", "to", "why"]), self.undelivered().await?),
            kind => bail!("there are no {kind}"),
        };
        let kept = rows.into_iter().filter(|row| fits(search, &row.cells.iter().map(String::as_str).collect::<Vec<_>>()));
        Ok((titles, Found { rows: kept.collect(), note: None }))
    }

    async fn queued(&self, queue: &str) -> anyhow::Result<Vec<Row>> {
        let messages = self.shared.world.services.queues.peek(&Call::operator(), queue, PEEKED_MAX).await?;
        let now = self.shared.world.db.now();
        let received = |message: &Message| if message.receives == 0 { "never".into() } else { format!("{} ×", message.receives) };
        let row = |m: Message| Row { cells: vec![day_and_time(m.sent), state(&m, now), received(&m), m.body], key: m.message_id };
        Ok(messages.into_iter().map(row).collect())
    }

    async fn subscribed(&self, topic: &str) -> anyhow::Result<Vec<Row>> {
        let page = self.shared.world.services.topics.subscriptions(&Call::operator(), Some(topic), "").await?;
        let state = |token: &Option<String>| if token.is_none() { "confirmed" } else { "pending" }.to_owned();
        let own = self.called_by(topic).into_iter().map(|(function, _)| Row {
            key: format!("{OWN}{function}"),
            cells: vec!["function".to_owned(), function, "in the project file".to_owned()],
        });
        let others = page.items.into_iter().map(|s| Row { cells: vec![s.protocol, s.endpoint, state(&s.token)], key: s.id });
        Ok(own.chain(others).collect())
    }

    /// The project's functions that a topic calls, each with the filter of what it wants.
    fn called_by(&self, topic: &str) -> Vec<(String, Option<Value>)> {
        let project = self.shared.project();
        let calls = |function: &Function| -> Vec<(String, Option<Value>)> {
            let of = |event: &EventSource| match event {
                EventSource::Topic(source) if source.topic == topic => Some((function.name.clone(), source.filter.clone())),
                _ => None,
            };
            function.events.iter().filter_map(of).collect()
        };
        project.functions.iter().flat_map(calls).collect()
    }

    async fn scheduled(&self) -> anyhow::Result<Vec<Row>> {
        let now = self.shared.world.db.now();
        let schedules = self.shared.triggers.schedules().list(&Call::operator()).await?;
        let next = |schedule: &Schedule| match schedule.next_run {
            _ if !schedule.enabled => "off".to_owned(),
            Some(time) => format!("in {}, {}", span((time.0 - now.0).max(0) / 1_000), day_and_time(time)),
            None => "over".to_owned(),
        };
        let row = |s: Schedule| {
            let last = s.last_run.map_or_else(|| "never".to_owned(), day_and_time);
            Row { cells: vec![s.name.clone(), next(&s), s.expression.clone(), s.function.clone(), last], key: s.name }
        };
        Ok(schedules.into_iter().map(row).collect())
    }

    async fn inbox(&self) -> anyhow::Result<Vec<Row>> {
        let mails = self.shared.world.services.mail.inbox(&Call::operator(), None, None, ROWS_MAX).await?;
        // The newest first, as inboxes have them.
        Ok(mails.into_iter().rev().map(|(m, _)| Row { cells: vec![day_and_time(m.at), m.to.join(", "), m.subject], key: m.id }).collect())
    }

    async fn pushed(&self) -> anyhow::Result<Vec<Row>> {
        let pushes = self.shared.world.services.pushes.inbox(&Call::operator(), None, ROWS_MAX).await?;
        let row = |push: Push| {
            let (title, body) = push.shown();
            let cells = vec![
                day_and_time(push.at),
                push.target.text().to_owned(),
                push.count.to_string(),
                title.or(body).unwrap_or_default().to_owned(),
            ];
            Row { cells, key: push.id }
        };
        Ok(pushes.into_iter().rev().map(row).collect())
    }

    async fn undelivered(&self) -> anyhow::Result<Vec<Row>> {
        let letters = self.shared.triggers.dead_letters(&Call::operator(), ROWS_MAX).await?;
        Ok(letters
            .into_iter()
            .map(|l| Row { key: l.id.to_string(), cells: vec![day_and_time(l.at), l.source, l.target, l.reason] })
            .collect())
    }

    pub(super) async fn view_message(&self, shelf: &ShelfId, key: &str) -> anyhow::Result<(String, String)> {
        let (services, call) = (&self.shared.world.services, Call::operator());
        match &*shelf.kind {
            QUEUE => {
                let messages = services.queues.peek(&call, &shelf.name, PEEKED_MAX).await?;
                let message = messages.iter().find(|message| message.message_id == key).context("this message is gone")?;
                Ok((key.to_owned(), serde_json::to_string_pretty(&message_json(message))?))
            }
            TOPIC if key.starts_with(OWN) => {
                let name = &key[OWN.len()..];
                let called = self.called_by(&shelf.name).into_iter().find(|(function, _)| function == name);
                let (function, filter) = called.context("the project file no longer subscribes this function")?;
                let title = function.clone();
                Ok((title, serde_json::to_string_pretty(&json!({ "function": function, "topic": &*shelf.name, "filter": filter }))?))
            }
            TOPIC => {
                let s = services.topics.subscription(&call, key).await?;
                let shown = json!({ "id": s.id, "protocol": s.protocol, "endpoint": s.endpoint, "attributes": s.attributes, "confirmed": s.token.is_none() });
                Ok((s.endpoint, serde_json::to_string_pretty(&shown)?))
            }
            SCHEDULES => {
                let all = self.shared.triggers.schedules().list(&call).await?;
                let s = all.into_iter().find(|schedule| schedule.name == key).context("this schedule is gone")?;
                let input = s.input.as_deref().map(parsed);
                let shown = json!({
                    "name": s.name, "function": s.function, "expression": s.expression, "enabled": s.enabled, "input": input,
                    "nextRun": s.next_run.map(Time::iso), "lastRun": s.last_run.map(Time::iso),
                });
                Ok((s.name, serde_json::to_string_pretty(&shown)?))
            }
            MAIL => {
                let found = services.mail.inbox(&call, Some(key), None, 1).await?;
                let (mail, _) = found.first().context("this mail is gone")?;
                Ok((mail.subject.clone(), mail_text(mail)))
            }
            PUSHES => {
                let found = services.pushes.inbox(&call, Some(key), 1).await?;
                let push = found.first().context("this push is gone")?;
                let title = push.shown().0.unwrap_or("Push").to_owned();
                Ok((title, serde_json::to_string_pretty(&crate::app::pushes::shown(push))?))
            }
            DEAD_LETTERS => {
                let letters = self.shared.triggers.dead_letters(&call, ROWS_MAX).await?;
                let l = letters.into_iter().find(|letter| letter.id.to_string() == key).context("this dead letter is gone")?;
                let shown = json!({
                    "time": l.at.iso(), "reason": l.reason, "detail": l.detail, "source": l.source, "target": l.target,
                    "attempts": l.attempts, "trace": l.trace, "event": parsed(&String::from_utf8_lossy(&l.payload)),
                });
                Ok((l.target, serde_json::to_string_pretty(&shown)?))
            }
            kind => bail!("there are no {kind}"),
        }
    }
}

/// Whether a message can be received, or who hides it for how long.
fn state(message: &Message, now: Time) -> String {
    let Some(until) = message.hidden_until else { return "ready".to_owned() };
    let left = span((until.0 - now.0).max(0) / 1_000);
    if message.receives > 0 { format!("in flight, {left}") } else { format!("delayed, {left}") }
}

async fn queue_names(queues: &Queues, call: &Call) -> anyhow::Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let page = queues.list(call, "", names.last().map_or("", String::as_str), PAGE).await?;
        names.extend(page.names);
        if !page.more {
            return Ok(names);
        }
    }
}

async fn topic_names(topics: &Topics, call: &Call) -> anyhow::Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    loop {
        let page = topics.list(call, names.last().map_or("", String::as_str)).await?;
        names.extend(page.items);
        if !page.more {
            return Ok(names);
        }
    }
}

fn day_and_time(time: Time) -> String {
    time.utc().format("%Y-%m-%d %H:%M:%S").to_string()
}

/// Seconds, as the two largest units.
fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min {} s", seconds / 60, seconds % 60),
        7_200..172_800 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} days {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// JSON where it is, else a text.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned()))
}

fn message_json(m: &Message) -> Value {
    json!({
        "id": m.message_id, "sent": m.sent.iso(), "receives": m.receives, "hiddenUntil": m.hidden_until.map(Time::iso), "sender": m.sender, "group": m.group,
        "deduplication": m.deduplication, "deadLetterOf": m.dead_letter_source, "trace": m.origin.trace,
        "attributes": m.attributes.iter().map(|(name, a)| (name.clone(), json!(a.kind))).collect::<serde_json::Map<_, _>>(),
        "body": parsed(&m.body),
    })
}

/// A mail as a person reads it: who and what, the text, and the links of the HTML.
fn mail_text(mail: &Mail) -> String {
    let mut text = String::new();
    for (name, value) in [("from", &mail.source), ("to", &mail.to.join(", ")), ("cc", &mail.cc.join(", ")), ("subject", &mail.subject)] {
        if !value.is_empty() {
            text.push_str(&format!("{name:<8} {value}\n"));
        }
    }
    text.push_str(&format!("{:<8} {}\n", "time", mail.at.iso()));
    if let Some(failure) = &mail.failure {
        text.push_str(&format!("{:<8} {failure}\n", "failed"));
    }
    for file in &mail.attachments {
        text.push_str(&format!("{:<8} {} ({}, {} bytes)\n", "file", file.name.as_deref().unwrap_or("unnamed"), file.kind, file.bytes));
    }
    if let Some(plain) = &mail.text {
        text.push_str(&format!("\n{}\n", plain.trim_end()));
    }
    if let Some(source) = &mail.html {
        let page = html::read(source);
        if mail.text.is_none() {
            text.push_str(&format!("\n{}\n", page.text));
        }
        if !page.links.is_empty() {
            text.push_str(&format!(
                "\nlinks of the HTML\n{}\n",
                page.links.iter().map(|link| format!("  {link}\n")).collect::<String>().trim_end()
            ));
        }
    }
    text
}
