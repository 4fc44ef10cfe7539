//! REST: the same calls with JSON. Source: the HTTP bindings of `google/firestore/v1/firestore.proto`.

use bytes::Bytes;
use http::{Method, StatusCode, Uri};
use serde_json::json;

use super::fail::{Code, Failure};
use super::proto::*;
use super::{Firestore, SERVICE};
use crate::base::Call;
use crate::wire::firebase::rpc::json::{read, refused, several, unary};
use crate::wire::http::{Body, Description, Request, Response};

/// What a path asks for.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// A call that is named after a colon, of what is before it.
    Verb {
        of: String,
        verb: String,
    },
    /// A document.
    Document(String),
    /// A collection: its parent, and its identifier.
    Collection(String, String),
    /// All documents of a database, for the emulator's own endpoint.
    Everything(String),
    /// Security rules of a project.
    Rules,
    Root,
}

const VERBS: [&str; 10] = [
    "batchGet",
    "beginTransaction",
    "commit",
    "rollback",
    "runQuery",
    "runAggregationQuery",
    "partitionQuery",
    "listCollectionIds",
    "batchWrite",
    "executePipeline",
];

impl Firestore {
    pub(super) async fn rest(&self, call: &Call, request: Request) -> Response {
        let (parts, body) = request.into_parts();
        let (action, response) = match place(&parts.uri) {
            Some(place) => self.answer(call, &parts.method, &place, &parts.uri, body).await,
            None => {
                let text = format!("There is nothing of Firestore at {}.", parts.uri.path().chars().take(200).collect::<String>());
                ("?", refused(&Failure::new(Code::NotFound, text), false))
            }
        };
        Description::new(SERVICE, action).attach(response)
    }

    async fn answer(&self, call: &Call, method: &Method, place: &Place, uri: &Uri, body: Body) -> (&'static str, Response) {
        /// Makes a call with a request, if that could be read.
        macro_rules! call {
            ($request:expr, $operation:ident) => {
                match $request {
                    Ok(request) => self.$operation(call, request).await,
                    Err(failure) => Err(failure),
                }
            };
        }
        let parameters = Parameters::of(uri);
        match (method, place) {
            (&Method::GET, Place::Root) => ("Root", http::Response::new(Body::from("Ok\n"))),
            (&Method::POST, Place::Verb { of, verb }) => self.verb(call, of, verb, body).await,
            (&Method::GET, Place::Document(name)) => {
                let request = parameters.view().map(|(transaction, read_time)| GetDocumentRequest {
                    name: name.clone(),
                    mask: parameters.mask("mask"),
                    transaction,
                    read_time,
                });
                ("GetDocument", unary(call!(request, get_document)))
            }
            (&Method::PATCH, Place::Document(name)) => {
                let request: Result<UpdateDocumentRequest, Failure> = async {
                    let document: Document = read(body).await?;
                    Ok(UpdateDocumentRequest {
                        document: Some(Document { name: name.clone(), ..document }),
                        update_mask: parameters.mask("updateMask"),
                        mask: parameters.mask("mask"),
                        current_document: parameters.precondition()?,
                    })
                }
                .await;
                ("UpdateDocument", unary(call!(request, update_document)))
            }
            (&Method::DELETE, Place::Document(name)) => {
                let request =
                    parameters.precondition().map(|current_document| DeleteDocumentRequest { name: name.clone(), current_document });
                ("DeleteDocument", unary(call!(request, delete_document)))
            }
            (&Method::GET, Place::Collection(parent, id)) => {
                let request = parameters.list(parent, id);
                ("ListDocuments", unary(call!(request, list_documents)))
            }
            (&Method::POST, Place::Collection(parent, id)) => {
                let request = read(body).await.map(|document| CreateDocumentRequest {
                    parent: parent.clone(),
                    collection_id: id.clone(),
                    document_id: parameters.one("documentId").unwrap_or_default(),
                    document: Some(document),
                    mask: parameters.mask("mask"),
                });
                ("CreateDocument", unary(call!(request, create_document)))
            }
            (&Method::DELETE, Place::Everything(database)) => ("ClearDocuments", unary(self.clear(call, database).await)),
            // Accepted, so that tools which load rules go on; `access` says that they are not enforced.
            (&Method::PUT, Place::Rules) => ("PutRules", crate::wire::http::json(StatusCode::OK, &json!({}))),
            (other, _) => {
                let text = format!("{other} is not understood at {}.", uri.path().chars().take(200).collect::<String>());
                ("?", refused(&Failure::new(Code::Unimplemented, text), false))
            }
        }
    }

    async fn verb(&self, call: &Call, of: &str, verb: &str, body: Body) -> (&'static str, Response) {
        let database = of.strip_suffix("/documents").unwrap_or(of).to_owned();
        let parent = of.to_owned();
        /// Makes a call with a request, if that could be read.
        macro_rules! call {
            ($request:expr, $operation:ident) => {
                match $request {
                    Ok(request) => self.$operation(call, request).await,
                    Err(failure) => Err(failure),
                }
            };
        }
        match verb {
            "batchGet" => {
                let request = read(body).await.map(|request| BatchGetDocumentsRequest { database, ..request });
                ("BatchGetDocuments", several(call!(request, batch_get)))
            }
            "beginTransaction" => {
                let request = read(body).await.map(|request| BeginTransactionRequest { database, ..request });
                ("BeginTransaction", unary(call!(request, begin_transaction)))
            }
            "commit" => {
                let request = read(body).await.map(|request| CommitRequest { database, ..request });
                ("Commit", unary(call!(request, commit)))
            }
            "rollback" => {
                let request = read(body).await.map(|request| RollbackRequest { database, ..request });
                ("Rollback", unary(request.and_then(|request| self.rollback(&request))))
            }
            "runQuery" => {
                let request = read(body).await.map(|request| RunQueryRequest { parent, ..request });
                ("RunQuery", several(call!(request, run_query)))
            }
            "runAggregationQuery" => {
                let request = read(body).await.map(|request| RunAggregationQueryRequest { parent, ..request });
                ("RunAggregationQuery", several(call!(request, run_aggregation_query)))
            }
            "executePipeline" => {
                let request = read(body).await.map(|request| ExecutePipelineRequest { database, ..request });
                ("ExecutePipeline", several(call!(request, execute_pipeline)))
            }
            "partitionQuery" => {
                let request = read(body).await.map(|request| PartitionQueryRequest { parent, ..request });
                ("PartitionQuery", unary(call!(request, partition_query)))
            }
            "listCollectionIds" => {
                let request = read(body).await.map(|request| ListCollectionIdsRequest { parent, ..request });
                ("ListCollectionIds", unary(call!(request, list_collection_ids)))
            }
            "batchWrite" => {
                let request = read(body).await.map(|request| BatchWriteRequest { database, ..request });
                ("BatchWrite", unary(call!(request, batch_write)))
            }
            other => {
                let text = format!("emu does not know the method `{other}` of Firestore");
                ("?", refused(&Failure::new(Code::Unimplemented, text), true))
            }
        }
    }
}

/// What a path asks for.
fn place(uri: &Uri) -> Option<Place> {
    let path = uri.path();
    if path == "/" {
        return Some(Place::Root);
    }
    if let Some(rest) = path.strip_prefix("/emulator/v1/") {
        if rest.strip_prefix("projects/").is_some_and(|rest| rest.ends_with(":securityRules")) {
            return Some(Place::Rules);
        }
        return decoded(rest)?.strip_suffix("/documents").map(|database| Place::Everything(database.to_owned()));
    }
    let rest = path.strip_prefix("/v1/").or_else(|| path.strip_prefix("/v1beta1/"))?;
    if let Some((of, verb)) = rest.rsplit_once(':')
        && VERBS.contains(&verb)
    {
        return Some(Place::Verb { of: decoded(of)?, verb: verb.to_owned() });
    }
    let name = decoded(rest)?;
    // projects/p/databases/d/documents, then the path.
    let segments = name.split('/').count().checked_sub(5).filter(|segments| *segments > 0)?;
    if segments.is_multiple_of(2) {
        return Some(Place::Document(name));
    }
    let (parent, id) = name.rsplit_once('/')?;
    Some(Place::Collection(parent.to_owned(), id.to_owned()))
}

/// A path without escapes; `None` where a segment would have a slash, or is no text.
fn decoded(path: &str) -> Option<String> {
    let segments: Option<Vec<String>> = path
        .split('/')
        .map(|segment| {
            let text = percent_encoding::percent_decode_str(segment).decode_utf8().ok()?;
            (!text.contains('/')).then(|| text.into_owned())
        })
        .collect();
    Some(segments?.join("/"))
}

/// The parameters of a query string.
struct Parameters(Vec<(String, String)>);

impl Parameters {
    fn of(uri: &Uri) -> Parameters {
        Parameters(url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect())
    }

    fn one(&self, name: &str) -> Option<String> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value.clone())
    }

    fn mask(&self, name: &str) -> Option<DocumentMask> {
        let name = format!("{name}.fieldPaths");
        let field_paths: Vec<String> = self.0.iter().filter(|(other, _)| *other == name).map(|(_, value)| value.clone()).collect();
        (!field_paths.is_empty()).then_some(DocumentMask { field_paths })
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = self.one(name) else { return Ok(None) };
        let time = serde_json::from_value(json!(text)).map_err(|error| Failure::invalid(format!("Invalid value at '{name}': {error}")))?;
        Ok(Some(time))
    }

    fn truth(&self, name: &str) -> Result<Option<bool>, Failure> {
        match self.one(name).as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(Failure::invalid(format!("Invalid value at '{name}' (TYPE_BOOL), \"{other}\""))),
        }
    }

    /// The transaction, and the time of the read.
    fn view(&self) -> Result<(Option<Bytes>, Option<Timestamp>), Failure> {
        let transaction = match self.one("transaction") {
            Some(text) => {
                let bytes =
                    text::bytes::decode(&text).ok_or_else(|| Failure::invalid("Invalid value at 'transaction': it is no base64"))?;
                Some(bytes.into())
            }
            None => None,
        };
        Ok((transaction, self.time("readTime")?))
    }

    fn precondition(&self) -> Result<Option<Precondition>, Failure> {
        let (exists, update_time) = (self.truth("currentDocument.exists")?, self.time("currentDocument.updateTime")?);
        Ok((exists.is_some() || update_time.is_some()).then_some(Precondition { exists, update_time }))
    }

    fn list(&self, parent: &str, id: &str) -> Result<ListDocumentsRequest, Failure> {
        let (transaction, read_time) = self.view()?;
        let page_size = match self.one("pageSize") {
            Some(text) => text.parse().map_err(|_| Failure::invalid(format!("Invalid value at 'pageSize' (TYPE_INT32), \"{text}\"")))?,
            None => 0,
        };
        Ok(ListDocumentsRequest {
            parent: parent.to_owned(),
            collection_id: id.to_owned(),
            page_size,
            page_token: self.one("pageToken").unwrap_or_default(),
            order_by: self.one("orderBy").unwrap_or_default(),
            mask: self.mask("mask"),
            transaction,
            read_time,
            show_missing: self.truth("showMissing")?.unwrap_or(false),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_find_what_they_ask_for() {
        const ROOT: &str = "projects/p/databases/(default)/documents";
        let check = |path: &str, wanted: Option<Place>| {
            assert_eq!(place(&path.parse().expect("a path")), wanted, "{path}");
        };
        check("/", Some(Place::Root));
        check("/v1/projects/p/databases/(default)/documents:runQuery", Some(Place::Verb { of: ROOT.into(), verb: "runQuery".into() }));
        check(
            "/v1/projects/p/databases/(default)/documents/users/a:b:runQuery",
            Some(Place::Verb { of: format!("{ROOT}/users/a:b"), verb: "runQuery".into() }),
        );
        check("/v1/projects/p/databases/(default)/documents/users/a:b", Some(Place::Document(format!("{ROOT}/users/a:b"))));
        check("/v1/projects/p/databases/%28default%29/documents/users/J%C3%B6rg", Some(Place::Document(format!("{ROOT}/users/Jörg"))));
        check("/v1/projects/p/databases/(default)/documents/users", Some(Place::Collection(ROOT.into(), "users".into())));
        check("/v1/projects/p/databases/(default)/documents/users/a%2Fb", None);
        check("/emulator/v1/projects/p/databases/(default)/documents", Some(Place::Everything("projects/p/databases/(default)".into())));
        check("/emulator/v1/projects/p:securityRules", Some(Place::Rules));
        check("/v2/projects", None);
    }
}
