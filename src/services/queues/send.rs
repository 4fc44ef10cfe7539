//! Putting messages into queues.

use sha2::{Digest, Sha256};

use super::message::{Send, Sent};
use super::settings::BYTES_MAX;
use super::store::{self, Stored};
use super::{Entry, Error, Outcomes, Queues, check_entries, chunks, in_range, requests};
use crate::base::Call;
use crate::store::Tx;

/// Within this time a repeated deduplication identifier is the same message. Source: "Exactly-once processing in Amazon SQS".
pub(super) const DEDUPLICATION_MS: i64 = 5 * 60 * 1000;

impl Queues {
    /// Puts one message into a queue. Fails with `NoSuchQueue`, `TooLarge`, and what is wrong with the message.
    pub async fn send(&self, call: &Call, queue: &str, send: Send) -> Result<Sent, Error> {
        let name = queue.to_owned();
        self.db
            .write(call, move |tx| {
                tx.count(requests(&name), chunks(send.bytes()));
                put_in(tx, &name, &send)
            })
            .await
    }

    /// Puts up to ten messages into a queue; each fails or not by itself.
    pub async fn send_batch(&self, call: &Call, queue: &str, entries: Vec<Entry<Send>>) -> Result<Outcomes<Sent>, Error> {
        check_entries(&entries)?;
        let bytes = entries.iter().map(|entry| entry.value.bytes()).sum();
        if bytes > BYTES_MAX as usize {
            return Err(Error::BatchTooLarge { bytes, bytes_max: BYTES_MAX });
        }
        let name = queue.to_owned();
        self.db
            .write(call, move |tx| {
                let queue = store::get(tx, &name)?;
                tx.count(requests(&name), chunks(bytes));
                let mut outcomes = Vec::with_capacity(entries.len());
                for entry in entries {
                    match put(tx, &queue, &entry.value) {
                        Err(Error::Store(error)) => return Err(error.into()),
                        outcome => outcomes.push((entry.id, outcome)),
                    }
                }
                Ok(outcomes)
            })
            .await
    }
}

/// Puts a message into a queue in somebody's transaction, unbilled.
pub fn put_in(tx: &mut Tx<'_>, queue: &str, send: &Send) -> Result<Sent, Error> {
    let queue = store::get(tx, queue)?;
    put(tx, &queue, send)
}

fn put(tx: &mut Tx<'_>, queue: &Stored, send: &Send) -> Result<Sent, Error> {
    let settings = &queue.queue.settings;
    send.check()?;
    if send.bytes() as i64 > settings.bytes_max {
        return Err(Error::TooLarge { bytes_max: settings.bytes_max });
    }
    if let Some(delay_s) = send.delay_s {
        in_range("DelaySeconds", delay_s, 0, 900)?;
        if settings.fifo && delay_s > 0 {
            return Err(Error::NotForThisKind { parameter: "DelaySeconds", value: delay_s.to_string() });
        }
    }
    let delay_s = send.delay_s.filter(|_| !settings.fifo).unwrap_or(settings.delay_s);
    let due = tx.now().plus_ms(delay_s * 1000);
    let sent = if settings.fifo {
        put_ordered(tx, queue, send, due)?
    } else if let Some(value) = &send.deduplication {
        return Err(Error::NotForThisKind { parameter: "MessageDeduplicationId", value: value.clone() });
    } else {
        let message_id = tx.ids().uuid();
        store::put(tx, queue, &message_id, send, None, due)?;
        Sent { message_id, sequence: None }
    };
    tx.wake(&Queues::wake_key(&queue.queue.name));
    Ok(sent)
}

fn put_ordered(tx: &mut Tx<'_>, queue: &Stored, send: &Send, due: crate::base::Time) -> Result<Sent, Error> {
    let settings = &queue.queue.settings;
    let group = send.group.as_ref().ok_or(Error::Missing("MessageGroupId"))?;
    let deduplication = match &send.deduplication {
        Some(given) => given.clone(),
        None if settings.content_deduplication => hex::encode(Sha256::digest(send.body.as_bytes())),
        None => return Err(Error::NoDeduplication),
    };
    let key = if settings.deduplication_by_group { format!("{group}\n{deduplication}") } else { deduplication.clone() };
    if let Some((message_id, row)) = store::duplicate(tx, queue, &key, tx.now().plus_ms(-DEDUPLICATION_MS))? {
        return Ok(Sent { message_id, sequence: Some(store::sequence(row)) });
    }
    let message_id = tx.ids().uuid();
    let row = store::put(tx, queue, &message_id, send, Some(&deduplication), due)?;
    store::remember(tx, queue, &key, &message_id, row)?;
    Ok(Sent { message_id, sequence: Some(store::sequence(row)) })
}
