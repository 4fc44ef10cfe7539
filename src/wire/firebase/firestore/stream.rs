//! The two streams: writes one after another, and what is listened to. Whichever way their messages come.

use std::time::Duration;

use futures_util::StreamExt;
use http::StatusCode;
use tokio::sync::mpsc;

use super::fail::Failure;
use super::proto::{ListenRequest, ListenResponse, Status, Target, TargetChange, WriteRequest, WriteResponse, target_change_type};
use super::{Firestore, SERVICE, decode, encode};
use crate::base::Call;
use crate::services::documents::Database;
use crate::services::documents::listen::{Event, Listener};
use crate::wire::firebase::rpc::Requests;
use crate::wire::http::{Description, Recording};

/// Where messages go out.
pub type Answers<T> = mpsc::Sender<Result<T, Failure>>;

/// Messages that wait for a client that reads slowly.
pub const ANSWERS_MAX: usize = 64;
/// A listener hears something this often: the SDKs take two minutes of silence for a broken connection.
const HEARTBEAT: Duration = Duration::from_secs(45);

/// Whoever answers is gone, or was told why there is no more.
struct Ended;

impl Firestore {
    /// Answers writes in the order in which they come, until there are no more or one fails.
    pub(super) async fn write_stream(&self, call: Call, mut requests: Requests<WriteRequest>, answers: Answers<WriteResponse>) {
        let mut database = None;
        let mut answered: u64 = 0;
        while let Some(request) = requests.next().await {
            let answer = match request {
                Ok(request) => {
                    // The first says only which database, and is no operation.
                    let recording = database.is_some().then(|| self.recorder.begin(&call));
                    let billed = recording.as_ref().map_or(&call, |recording| &recording.call);
                    let answer = self.write_request(billed, &mut database, request, answered).await;
                    record(recording, "Write", answer.as_ref().err());
                    answer
                }
                Err(failure) => Err(failure),
            };
            let failed = answer.is_err();
            if answers.send(answer).await.is_err() || failed {
                return;
            }
            answered += 1;
        }
    }

    async fn write_request(
        &self,
        call: &Call,
        database: &mut Option<Database>,
        request: WriteRequest,
        answered: u64,
    ) -> Result<WriteResponse, Failure> {
        let stream_token = bytes::Bytes::copy_from_slice(&(answered + 1).to_be_bytes());
        let Some(database) = database.as_ref() else {
            let named = database.insert(Database::parse(&request.database)?);
            // The first says only which database: its answer has no results, whatever else it says.
            if request.writes.is_empty() {
                let stream_id = if request.stream_id.is_empty() { self.ids.hex(8) } else { request.stream_id };
                return Ok(WriteResponse { stream_id, stream_token, ..Default::default() });
            }
            return Err(Failure::invalid(format!("The first message of a stream of writes to {named} may not have writes.")));
        };
        let committed = self.documents.commit(call, database, decode::writes(request.writes)?, None).await?;
        Ok(WriteResponse {
            stream_token,
            write_results: committed.written.into_iter().map(encode::written).collect(),
            commit_time: Some(encode::time(committed.at)),
            ..Default::default()
        })
    }

    /// Tells what happens in the targets that come, until no more can come or be told.
    pub(super) async fn listen_stream(&self, call: Call, mut requests: Requests<ListenRequest>, answers: Answers<ListenResponse>) {
        let mut listener = self.documents.listen(&call);
        let mut database = None;
        loop {
            let told = tokio::select! {
                () = answers.closed() => return,
                request = requests.next() => match request {
                    Some(Ok(request)) => self.listen_request(&call, &mut listener, &mut database, request, &answers).await,
                    Some(Err(failure)) => Err(failure),
                    None => return,
                },
                woken = listener.woken() => match woken {
                    Ok(()) => self.events(&call, &mut listener).await,
                    Err(error) => Err(error.into()),
                },
                () = tokio::time::sleep(HEARTBEAT) => Ok(listener.told().map(Event::Snapshot).into_iter().collect()),
            };
            let ended = match told {
                Ok(events) => tell(events, &answers).await.is_err(),
                Err(failure) => {
                    // Nobody may be there to hear it.
                    let _ = answers.send(Err(failure)).await;
                    true
                }
            };
            if ended {
                return;
            }
        }
    }

    /// What has happened since; where documents are told, that is an operation.
    async fn events(&self, call: &Call, listener: &mut Listener) -> Result<Vec<Event>, Failure> {
        let recording = self.recorder.begin(call);
        listener.charge(&recording.call);
        let events = listener.events().await;
        if !recording.call.meter.total().is_empty() {
            record(Some(recording), "Listen", None);
        }
        Ok(events?)
    }

    /// Takes up or gives up a target. One that cannot be is refused alone: the others go on.
    async fn listen_request(
        &self,
        call: &Call,
        listener: &mut Listener,
        database: &mut Option<Database>,
        request: ListenRequest,
        answers: &Answers<ListenResponse>,
    ) -> Result<Vec<Event>, Failure> {
        let database = match database {
            Some(database) => database,
            None => database.insert(Database::parse(&request.database)?),
        };
        if let Some(id) = request.remove_target {
            return Ok(listener.remove(id).await);
        }
        let Some(target) = request.add_target else { return Ok(Vec::new()) };
        let id = target.target_id;
        let recording = self.recorder.begin(call);
        listener.charge(&recording.call);
        let added = self.add(listener, database, target).await;
        record(Some(recording), "Listen", added.as_ref().err());
        match added {
            Ok(events) => Ok(events),
            Err(failure) => {
                let cause = Some(Status { code: failure.code as i32, message: failure.message });
                let change =
                    TargetChange { target_change_type: target_change_type::REMOVE, target_ids: vec![id], cause, ..Default::default() };
                let refused = ListenResponse { target_change: Some(change), ..Default::default() };
                // Nobody may be there to hear it, which is seen next.
                let _ = answers.send(Ok(refused)).await;
                Ok(Vec::new())
            }
        }
    }

    async fn add(&self, listener: &mut Listener, database: &Database, target: Target) -> Result<Vec<Event>, Failure> {
        Ok(listener.add(decode::add(database, target)?).await?)
    }
}

/// Has an operation that has ended be told of.
fn record(recording: Option<Recording>, action: &str, failure: Option<&Failure>) {
    let Some(recording) = recording else { return };
    let error = failure.map(|failure| failure.code.name().to_owned());
    let status = failure.map_or(StatusCode::OK, |failure| failure.code.status());
    recording.end(Description { error, ..Description::new(SERVICE, action) }, status);
}

async fn tell(events: Vec<Event>, answers: &Answers<ListenResponse>) -> Result<(), Ended> {
    for event in events {
        answers.send(Ok(encode::event(event))).await.map_err(|_| Ended)?;
    }
    Ok(())
}
