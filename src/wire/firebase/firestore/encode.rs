//! What the service answers → messages.

use std::collections::BTreeMap;

use super::decode::token;
use super::proto::{self, target_change_type};
use crate::services::documents::listen::{Bloom, Event};
use crate::services::documents::pipeline::Output;
use crate::services::documents::{Document, Fields, Timestamp, Value, Written};

/// A document.
pub fn document(document: Document) -> proto::Document {
    proto::Document {
        name: document.name.full(),
        create_time: Some(time(document.created)),
        update_time: Some(time(document.updated)),
        fields: fields(document.fields),
    }
}

/// What a pipeline gave.
pub fn output(output: Output) -> proto::Document {
    proto::Document {
        name: output.name.unwrap_or_default(),
        create_time: output.created.map(time),
        update_time: output.updated.map(time),
        fields: fields(output.fields),
    }
}

fn fields(fields: Fields) -> BTreeMap<String, proto::Value> {
    fields.into_iter().map(|(name, value)| (name, self::value(value))).collect()
}

/// A value.
pub fn value(value: Value) -> proto::Value {
    use proto::Kind;
    let kind = match value {
        Value::Null => Kind::Null(0),
        Value::Bool(truth) => Kind::Boolean(truth),
        Value::Int(n) => Kind::Integer(n),
        Value::Double(n) => Kind::Double(n),
        Value::Timestamp(at) => Kind::Timestamp(time(at)),
        Value::Text(text) => Kind::String(text),
        Value::Bytes(bytes) => Kind::Bytes(bytes.into()),
        Value::Reference(name) => Kind::Reference(name),
        Value::Geo { latitude, longitude } => Kind::GeoPoint(proto::LatLng { latitude, longitude }),
        Value::Array(values) => Kind::Array(proto::ArrayValue { values: values.into_iter().map(self::value).collect() }),
        Value::Map(fields) => Kind::Map(proto::MapValue { fields: self::fields(fields) }),
    };
    proto::Value { kind: Some(kind) }
}

/// A time.
pub fn time(at: Timestamp) -> proto::Timestamp {
    proto::Timestamp { seconds: at.seconds, nanos: i32::try_from(at.nanos).unwrap_or(0) }
}

/// What a write did.
pub fn written(written: Written) -> proto::WriteResult {
    proto::WriteResult { update_time: written.updated.map(time), transform_results: written.transformed.into_iter().map(value).collect() }
}

/// What a listener is told.
pub fn event(event: Event) -> proto::ListenResponse {
    let target = |kind: i32, ids: Vec<i32>| proto::TargetChange { target_change_type: kind, target_ids: ids, ..Default::default() };
    let at_time =
        |change: proto::TargetChange, at: Timestamp| proto::TargetChange { resume_token: token(at), read_time: Some(time(at)), ..change };
    let changes = |change: proto::TargetChange| proto::ListenResponse { target_change: Some(change), ..Default::default() };
    match event {
        Event::Added(id) => changes(target(target_change_type::ADD, vec![id])),
        Event::Reset(id) => changes(target(target_change_type::RESET, vec![id])),
        Event::Removed(id) => changes(target(target_change_type::REMOVE, vec![id])),
        Event::Current { target: id, at } => changes(at_time(target(target_change_type::CURRENT, vec![id]), at)),
        Event::Snapshot(at) => changes(at_time(target(target_change_type::NO_CHANGE, Vec::new()), at)),
        Event::Changed { document, targets, removed } => {
            let document = Some(self::document(Document::clone(&document)));
            let change = proto::DocumentChange { document, target_ids: targets, removed_target_ids: removed };
            proto::ListenResponse { document_change: Some(change), ..Default::default() }
        }
        Event::Gone { name, targets, deleted: true, at } => {
            let gone = proto::DocumentDelete { document: name.full(), removed_target_ids: targets, read_time: Some(time(at)) };
            proto::ListenResponse { document_delete: Some(gone), ..Default::default() }
        }
        Event::Gone { name, targets, deleted: false, at } => {
            let gone = proto::DocumentRemove { document: name.full(), removed_target_ids: targets, read_time: Some(time(at)) };
            proto::ListenResponse { document_remove: Some(gone), ..Default::default() }
        }
        Event::Filter { target: target_id, count, unchanged } => {
            let count = i32::try_from(count).unwrap_or(i32::MAX);
            let filter = proto::ExistenceFilter { target_id, count, unchanged_names: Some(bloom(unchanged)) };
            proto::ListenResponse { filter: Some(filter), ..Default::default() }
        }
    }
}

fn bloom(bloom: Bloom) -> proto::BloomFilter {
    let bits = proto::BitSequence { bitmap: bloom.bits.into(), padding: bloom.padding as i32 };
    proto::BloomFilter { bits: Some(bits), hash_count: bloom.hashes as i32 }
}
