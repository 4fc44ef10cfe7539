//! The calls of the API, whichever way they came.

use std::collections::HashSet;

use super::fail::{Code, Failure};
use super::proto::*;
use super::{Firestore, decode, encode};
use crate::base::Call;
use crate::services::documents::{self, Change, Database, List, Mode, Name, Order as By, Parent, Precondition as Must, Query, View};

/// Documents of a page where nothing is said, and at most.
const PAGE: usize = 20;
const PAGE_MAX: usize = 300;
/// Bytes of a pipeline's results that go into one answer; one result may be larger by itself.
const ANSWER_BYTES: usize = 1 << 20;
/// Identifiers of collections of a page at most.
const IDS_MAX: usize = 1_000;

impl Firestore {
    pub(super) async fn get_document(&self, call: &Call, request: GetDocumentRequest) -> Result<Document, Failure> {
        let name = Name::parse(&request.name)?;
        let view = decode::view(request.transaction, request.read_time)?;
        let mask = decode::mask(request.mask)?;
        let got = self.documents.get(call, std::slice::from_ref(&name), mask.as_deref(), &view).await?;
        let found = got.documents.into_iter().next().and_then(|(_, document)| document);
        Ok(encode::document(found.ok_or(documents::Error::NotFound(name))?))
    }

    pub(super) async fn list_documents(&self, call: &Call, request: ListDocumentsRequest) -> Result<ListDocumentsResponse, Failure> {
        let view = decode::view(request.transaction, request.read_time)?;
        let size = match usize::try_from(request.page_size) {
            Ok(0) => PAGE,
            Ok(size) => size.min(PAGE_MAX),
            Err(_) => return Err(Failure::invalid("page_size is negative")),
        };
        let parent = Parent::parse(&request.parent)?;
        let mask = decode::mask(request.mask)?;
        let order = order_by(&request.order_by)?;
        if !order.is_empty() {
            if request.show_missing {
                return Err(Failure::invalid("`show_missing` may not be used with `order_by`."));
            }
            let offset = page_token(&request.page_token)?.map_or(Ok(0), |text| text.parse::<u64>()).map_err(|_| bad_token())?;
            let scope = documents::Scope { parent, collection: Some(request.collection_id), descendants: false };
            let query = Query { order, offset, limit: Some(size as u64 + 1), select: mask, ..Query::all(scope) };
            let mut found = self.documents.query(call, &Query::new(query)?, &view).await?.documents;
            let next = (found.len() > size).then(|| token(&(offset + size as u64).to_string()));
            found.truncate(size);
            let documents = found.into_iter().map(encode::document).collect();
            return Ok(ListDocumentsResponse { documents, next_page_token: next.unwrap_or_default() });
        }
        let after = page_token(&request.page_token)?;
        let list = List { parent, collection: request.collection_id, size, after, missing: request.show_missing, mask };
        let listed = self.documents.list(call, &list, &view).await?;
        // One that is missing is a name and nothing else.
        let shown = |(name, document): (Name, Option<documents::Document>)| match document {
            Some(document) => encode::document(document),
            None => Document { name: name.full(), ..Document::default() },
        };
        let documents = listed.documents.into_iter().map(shown).collect();
        Ok(ListDocumentsResponse { documents, next_page_token: listed.next.map(|id| token(&id)).unwrap_or_default() })
    }

    pub(super) async fn create_document(&self, call: &Call, request: CreateDocumentRequest) -> Result<Document, Failure> {
        let parent = Parent::parse(&request.parent)?;
        let collection = parent.collection(&request.collection_id)?;
        let id = if request.document_id.is_empty() { self.new_id() } else { request.document_id };
        let name = Name::new(parent.database, &format!("{collection}/{id}"))?;
        let fields = decode::fields(request.document.unwrap_or_default().fields)?;
        let change = Change::Put { fields, mask: None };
        self.put(call, name, change, Some(Must::Exists(false)), decode::mask(request.mask)?).await
    }

    pub(super) async fn update_document(&self, call: &Call, request: UpdateDocumentRequest) -> Result<Document, Failure> {
        let document = request.document.ok_or_else(|| Failure::invalid("The document is missing."))?;
        let name = Name::parse(&document.name)?;
        let change = Change::Put { fields: decode::fields(document.fields)?, mask: decode::mask(request.update_mask)? };
        self.put(call, name, change, decode::precondition(request.current_document)?, decode::mask(request.mask)?).await
    }

    /// Writes a document, and reads it.
    async fn put(
        &self,
        call: &Call,
        name: Name,
        change: Change,
        precondition: Option<Must>,
        mask: Option<Vec<documents::FieldPath>>,
    ) -> Result<Document, Failure> {
        let database = name.database.clone();
        let write = documents::Write { name: name.clone(), change, precondition, transforms: Vec::new() };
        self.documents.commit(call, &database, vec![write], None).await?;
        let got = self.documents.get(call, std::slice::from_ref(&name), mask.as_deref(), &View::Latest).await?;
        let found = got.documents.into_iter().next().and_then(|(_, document)| document);
        Ok(encode::document(found.ok_or(documents::Error::NotFound(name))?))
    }

    pub(super) async fn delete_document(&self, call: &Call, request: DeleteDocumentRequest) -> Result<Empty, Failure> {
        let name = Name::parse(&request.name)?;
        let database = name.database.clone();
        let precondition = decode::precondition(request.current_document)?;
        let write = documents::Write { name, change: Change::Delete, precondition, transforms: Vec::new() };
        self.documents.commit(call, &database, vec![write], None).await?;
        Ok(Empty {})
    }

    /// What a read is to see, and the identifier of the transaction that began for it.
    async fn view(
        &self,
        call: &Call,
        database: &Database,
        asked: (Option<bytes::Bytes>, Option<TransactionOptions>, Option<Timestamp>),
    ) -> Result<(View, bytes::Bytes), Failure> {
        let (transaction, begin, read_time) = asked;
        if begin.is_none() {
            return Ok((decode::view(transaction, read_time)?, bytes::Bytes::new()));
        }
        let id = self.documents.begin(call, database, decode::begin(begin)?).await?;
        Ok((View::Transaction(id.clone()), id.into()))
    }

    pub(super) async fn batch_get(
        &self,
        call: &Call,
        request: BatchGetDocumentsRequest,
    ) -> Result<Vec<BatchGetDocumentsResponse>, Failure> {
        let database = Database::parse(&request.database)?;
        let mut seen = HashSet::new();
        let mut names = Vec::with_capacity(request.documents.len());
        for name in request.documents {
            let parsed = Name::parse(&name)?;
            if parsed.database != database {
                return Err(Failure::invalid(format!("The document {name} is not in the database {database} of the request.")));
            }
            if seen.insert(name) {
                names.push(parsed);
            }
        }
        let mask = decode::mask(request.mask)?;
        let (view, mut transaction) = self.view(call, &database, (request.transaction, request.new_transaction, request.read_time)).await?;
        let got = self.documents.get(call, &names, mask.as_deref(), &view).await?;
        let read_time = Some(encode::time(got.at));
        let answer = |(name, document): (Name, Option<documents::Document>)| {
            let missing = document.is_none().then(|| name.full());
            // Only the first says which transaction began.
            BatchGetDocumentsResponse {
                found: document.map(encode::document),
                missing,
                transaction: std::mem::take(&mut transaction),
                read_time,
            }
        };
        let mut answers: Vec<_> = got.documents.into_iter().map(answer).collect();
        if answers.is_empty() && !transaction.is_empty() {
            answers.push(BatchGetDocumentsResponse { transaction, read_time, ..Default::default() });
        }
        Ok(answers)
    }

    pub(super) async fn begin_transaction(
        &self,
        call: &Call,
        request: BeginTransactionRequest,
    ) -> Result<BeginTransactionResponse, Failure> {
        let database = Database::parse(&request.database)?;
        let transaction = self.documents.begin(call, &database, decode::begin(request.options)?).await?;
        Ok(BeginTransactionResponse { transaction: transaction.into() })
    }

    pub(super) async fn commit(&self, call: &Call, request: CommitRequest) -> Result<CommitResponse, Failure> {
        let database = Database::parse(&request.database)?;
        let writes = decode::writes(request.writes)?;
        let transaction = Some(&*request.transaction).filter(|id| !id.is_empty());
        let committed = self.documents.commit(call, &database, writes, transaction).await?;
        Ok(CommitResponse {
            commit_time: Some(encode::time(committed.at)),
            write_results: committed.written.into_iter().map(encode::written).collect(),
        })
    }

    pub(super) fn rollback(&self, request: &RollbackRequest) -> Result<Empty, Failure> {
        Database::parse(&request.database)?;
        self.documents.rollback(&request.transaction);
        Ok(Empty {})
    }

    pub(super) async fn run_query(&self, call: &Call, request: RunQueryRequest) -> Result<Vec<RunQueryResponse>, Failure> {
        let query = decode::query(&request.parent, request.structured_query)?;
        let database = query.scope.parent.database.clone();
        let (view, transaction) = self.view(call, &database, (request.transaction, request.new_transaction, request.read_time)).await?;
        if request.explain_options.is_some_and(|explain| !explain.analyze) {
            let explain_metrics = Some(ExplainMetrics { plan_summary: Some(plan_summary(&query)?), execution_stats: None });
            return Ok(vec![RunQueryResponse { transaction, explain_metrics, ..Default::default() }]);
        }
        let began = std::time::Instant::now();
        let found = self.documents.query(call, &query, &view).await?;
        let read_time = Some(encode::time(documents::Timestamp::of_micros(found.at_micros)));
        let results = found.documents.len();
        let answer = |document| RunQueryResponse { document: Some(encode::document(document)), read_time, ..Default::default() };
        let mut answers: Vec<RunQueryResponse> = found.documents.into_iter().map(answer).collect();
        if answers.is_empty() {
            answers.push(RunQueryResponse { read_time, ..Default::default() });
        }
        answers[0].transaction = transaction;
        answers[0].skipped_results = i32::try_from(found.skipped).unwrap_or(i32::MAX);
        if request.explain_options.is_some() {
            let reads = (results as u64 + found.skipped).max(1);
            let explain_metrics = Some(explained(&query, results, reads, found.scanned, began.elapsed())?);
            answers.push(RunQueryResponse { explain_metrics, ..Default::default() });
        }
        Ok(answers)
    }

    pub(super) async fn run_aggregation_query(
        &self,
        call: &Call,
        request: RunAggregationQueryRequest,
    ) -> Result<Vec<RunAggregationQueryResponse>, Failure> {
        let asked = request.structured_aggregation_query.ok_or_else(|| Failure::invalid("The query is missing."))?;
        let query = decode::query(&request.parent, asked.structured_query)?;
        let named = decode::aggregations(asked.aggregations)?;
        let database = query.scope.parent.database.clone();
        let (view, transaction) = self.view(call, &database, (request.transaction, request.new_transaction, request.read_time)).await?;
        if request.explain_options.is_some_and(|explain| !explain.analyze) {
            let explain_metrics = Some(ExplainMetrics { plan_summary: Some(plan_summary(&query)?), execution_stats: None });
            return Ok(vec![RunAggregationQueryResponse { transaction, explain_metrics, ..Default::default() }]);
        }
        let began = std::time::Instant::now();
        let (names, aggregations): (Vec<String>, Vec<documents::Aggregation>) = named.into_iter().unzip();
        let aggregated = self.documents.aggregate(call, &query, &aggregations, &view).await?;
        let explained = || explained(&query, 1, aggregated.reads(), aggregated.entries, began.elapsed());
        let explain_metrics = request.explain_options.map(|_| explained()).transpose()?;
        let aggregate_fields = names.into_iter().zip(aggregated.values.into_iter().map(encode::value)).collect();
        let read_time = Some(encode::time(documents::Timestamp::of_micros(aggregated.at_micros)));
        let result = Some(AggregationResult { aggregate_fields });
        Ok(vec![RunAggregationQueryResponse { result, transaction, read_time, explain_metrics }])
    }

    pub(super) async fn execute_pipeline(
        &self,
        call: &Call,
        request: ExecutePipelineRequest,
    ) -> Result<Vec<ExecutePipelineResponse>, Failure> {
        let database = Database::parse(&request.database)?;
        let (pipeline, options) = decode::structured_pipeline(request.structured_pipeline)?;
        let (view, transaction) = self.view(call, &database, (request.transaction, request.new_transaction, request.read_time)).await?;
        let ran = self.documents.pipeline(call, &database, &pipeline, options, &view).await?;
        let execution_time = Some(encode::time(ran.at));
        let answer = || ExecutePipelineResponse { execution_time, ..Default::default() };
        // Only the first says which transaction began.
        let mut answers = vec![ExecutePipelineResponse { transaction, ..answer() }];
        let mut bytes = 0;
        for result in ran.outputs.into_iter().map(encode::output) {
            let more = prost::Message::encoded_len(&result);
            if bytes > 0 && bytes + more > ANSWER_BYTES {
                answers.push(answer());
                bytes = 0;
            }
            bytes += more;
            if let Some(last) = answers.last_mut() {
                last.results.push(result);
            }
        }
        if let Some(last) = answers.last_mut() {
            last.explain_stats = ran.explained.map(ExplainStats::new);
        }
        Ok(answers)
    }

    pub(super) async fn partition_query(&self, call: &Call, request: PartitionQueryRequest) -> Result<PartitionQueryResponse, Failure> {
        let query = decode::query(&request.parent, request.structured_query)?;
        let parts = usize::try_from(request.partition_count).ok().filter(|parts| *parts > 0);
        let parts = parts.ok_or_else(|| Failure::invalid("partition_count must be positive."))?;
        let view = decode::view(None, request.read_time)?;
        let names = self.documents.partition(call, &query, parts, &view).await?;
        let cursor = |name: Name| Cursor { values: vec![Value { kind: Some(Kind::Reference(name.full())) }], before: false };
        Ok(PartitionQueryResponse { partitions: names.into_iter().map(cursor).collect(), next_page_token: String::new() })
    }

    pub(super) async fn list_collection_ids(
        &self,
        call: &Call,
        request: ListCollectionIdsRequest,
    ) -> Result<ListCollectionIdsResponse, Failure> {
        let parent = Parent::parse(&request.parent)?;
        let view = decode::view(None, request.read_time)?;
        let after = page_token(&request.page_token)?.unwrap_or_default();
        let size = usize::try_from(request.page_size).ok().filter(|size| *size > 0).unwrap_or(IDS_MAX).min(IDS_MAX);
        let mut ids = self.documents.collections(call, &parent, &after, size + 1, &view).await?;
        let more = ids.len() > size;
        ids.truncate(size);
        let next_page_token = ids.last().filter(|_| more).map(|id| token(id)).unwrap_or_default();
        Ok(ListCollectionIdsResponse { collection_ids: ids, next_page_token })
    }

    pub(super) async fn batch_write(&self, call: &Call, request: BatchWriteRequest) -> Result<BatchWriteResponse, Failure> {
        let database = Database::parse(&request.database)?;
        // One that cannot be read fails by itself, as one that cannot be done does.
        let decoded: Vec<Result<documents::Write, Failure>> = request.writes.into_iter().map(decode::write).collect();
        let good = decoded.iter().filter_map(|write| write.as_ref().ok().cloned()).collect();
        let mut done = self.documents.write_each(call, &database, good).await?.into_iter();
        let mut answer = BatchWriteResponse::default();
        for write in decoded {
            let outcome = write.and_then(|_| match done.next() {
                Some(done) => done.map_err(Failure::from),
                None => Err(Failure::new(Code::Internal, "A write has no outcome; this is a bug in emu, please report it.")),
            });
            let (result, status) = match outcome {
                Ok(written) => (encode::written(written), Status::default()),
                Err(failure) => (WriteResult::default(), failure.status()),
            };
            answer.write_results.push(result);
            answer.status.push(status);
        }
        Ok(answer)
    }

    /// Forgets all documents of a database.
    pub(super) async fn clear(&self, call: &Call, database: &str) -> Result<Empty, Failure> {
        self.documents.clear(call, &Database::parse(database)?).await?;
        Ok(Empty {})
    }

    /// An identifier as the SDKs make them: 20 letters and digits.
    fn new_id(&self) -> String {
        const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let mut random = [0u8; 20];
        self.ids.fill(&mut random);
        random.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect()
    }
}

/// How a query ran: `results` came out, `reads` are billed, and `scanned` entries of indexes were gone through.
fn explained(query: &Query, results: usize, reads: u64, scanned: u64, took: std::time::Duration) -> Result<ExplainMetrics, Failure> {
    let execution_duration = Timestamp { seconds: took.as_secs() as i64, nanos: took.subsec_nanos() as i32 };
    let stats = ExecutionStats {
        results_returned: results as i64,
        execution_duration: Some(execution_duration),
        read_operations: i64::try_from(reads).unwrap_or(i64::MAX),
        debug_stats: Some(Struct::of([("documents_scanned", results.to_string()), ("index_entries_scanned", scanned.to_string())])),
    };
    Ok(ExplainMetrics { plan_summary: Some(plan_summary(query)?), execution_stats: Some(stats) })
}

/// The indexes that production uses for a query, as it tells of them.
fn plan_summary(query: &Query) -> Result<PlanSummary, Failure> {
    let scope = if query.scope.descendants { "Collection group" } else { "Collection" };
    let last = if query.order.last().is_some_and(|last| last.descending) { "DESC" } else { "ASC" };
    let index = |fields: &[(documents::FieldPath, Mode)]| {
        let mut properties = String::from("(");
        for (field, mode) in fields {
            let mode = match mode {
                Mode::Ascending => "ASC",
                Mode::Descending => "DESC",
                Mode::Contains => "CONTAINS",
            };
            properties.push_str(&format!("{field} {mode}, "));
        }
        properties.push_str(&format!("__name__ {last})"));
        Struct::of([("query_scope", scope.to_owned()), ("properties", properties)])
    };
    let used = documents::used(query)?;
    let indexes_used = if used.is_empty() { vec![index(&[])] } else { used.iter().map(|used| index(&used.index.fields)).collect() };
    Ok(PlanSummary { indexes_used })
}

/// `priority desc, __name__` as orders; nothing where it is only by name, upwards.
fn order_by(text: &str) -> Result<Vec<By>, Failure> {
    let mut order = Vec::new();
    for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (path, direction) = part.rsplit_once(' ').unwrap_or((part, "asc"));
        let (path, descending) = match direction.to_ascii_lowercase().as_str() {
            "desc" => (path, true),
            "asc" => (path, false),
            _ => (part, false),
        };
        order.push(By { field: documents::FieldPath::parse(path.trim())?, descending });
    }
    if let [By { field, descending: false }] = order.as_slice()
        && field.is_name()
    {
        order.clear();
    }
    Ok(order)
}

fn token(text: &str) -> String {
    text::encode(text.as_bytes())
}

fn page_token(token: &str) -> Result<Option<String>, Failure> {
    if token.is_empty() {
        return Ok(None);
    }
    text::bytes::decode(token).and_then(|bytes| String::from_utf8(bytes).ok()).map(Some).ok_or_else(bad_token)
}

fn bad_token() -> Failure {
    Failure::invalid("The page token was not given by this service.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_from_text() {
        let read = |text: &str| -> Vec<(String, bool)> {
            order_by(text).expect("an order").into_iter().map(|by| (by.field.to_string(), by.descending)).collect()
        };
        assert_eq!(read("a desc, b.c"), [("a".into(), true), ("b.c".into(), false)]);
        assert_eq!(read("__name__ desc"), [("__name__".into(), true)]);
        assert!(read("__name__").is_empty() && read("").is_empty());
    }
}
