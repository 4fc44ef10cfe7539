//! Bytes on their way out: ranges, conditions, and what was stored compressed for those who cannot read that.

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use futures_util::{StreamExt, stream};
use http::{Method, StatusCode};

use super::Storage;
use super::ask::Ask;
use super::encode::describe;
use super::fail::Failure;
use super::upload::set;
use crate::base::Call;
use crate::services::objects::{ByteStream, Get, Name, Object, Range, Wanted};
use crate::wire::http::{Body, BoxError, Response};

/// Compressed bytes that are opened in one go: they can become a thousand times as many.
const OPENED_AT_ONCE: usize = 4 << 10;

/// The object whose bytes an answer has: an extension of it.
#[derive(Clone)]
pub struct Given(pub Object);

impl Storage {
    /// The bytes of an object, as the JSON API gives them.
    pub async fn media(&self, call: &Call, ask: &Ask<'_>, bucket: &str, key: &str) -> Result<Response, Failure> {
        let name = Name { bucket: bucket.to_owned(), key: key.to_owned(), which: ask.which("generation")? };
        let mut response = self.bytes(call, ask, name).await?;
        if !response.headers().contains_key("cache-control") {
            set(&mut response, "cache-control", "no-cache, no-store, max-age=0, must-revalidate");
        }
        Ok(response)
    }

    /// The bytes of an object, with all that is said of them.
    pub async fn bytes(&self, call: &Call, ask: &Ask<'_>, name: Name) -> Result<Response, Failure> {
        let bucket = name.bucket.clone();
        let fail = |error| Failure::of(&error, &bucket);
        let wanted = Wanted { numbers: ask.numbers(false)?, ..Wanted::default() };
        let is_opened = |object: &Object| {
            let headers = &object.properties.headers;
            let is_kept = headers.cache_control.as_deref().is_some_and(|text| text.contains("no-transform"));
            headers.content_encoding.as_deref() == Some("gzip") && !ask.accepts_gzip() && !is_kept
        };
        let (found, stream) = if ask.parts.method == Method::HEAD {
            (self.objects.head(call, &Get { name, range: Range::All, wanted }).await.map_err(fail)?, None)
        } else {
            // A range of what is opened would be one of other bytes; one of nothing is nothing.
            let range = |object: &Object| if is_opened(object) || object.size == 0 { Range::All } else { ask.range() };
            let (found, stream) = self.objects.get_part(call, &name, &wanted, range).await.map_err(fail)?;
            (found, Some(stream))
        };
        let object = found.object;
        let mut response = http::Response::new(Body::empty());
        describe(&object, response.headers_mut());
        for (parameter, header) in [
            ("response-content-type", "content-type"),
            ("response-content-disposition", "content-disposition"),
            ("response-cache-control", "cache-control"),
        ] {
            if let Some(value) = ask.get(parameter) {
                set(&mut response, header, value);
            }
        }
        let Some(stream) = stream else {
            set(&mut response, "content-length", &object.size.to_string());
            response.extensions_mut().insert(Given(object));
            return Ok(response);
        };
        if is_opened(&object) {
            response.headers_mut().remove("content-encoding");
            set(&mut response, "warning", "214 UploadServer gunzipped");
            *response.body_mut() = Body::stream(gunzipped(stream), None);
        } else {
            *response.body_mut() = Body::stream(stream, Some(found.length));
        }
        if found.partial {
            let last = (found.start + found.length).saturating_sub(1);
            set(&mut response, "content-range", &format!("bytes {}-{last}/{}", found.start, object.size));
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        }
        response.extensions_mut().insert(Given(object));
        Ok(response)
    }
}

/// What was compressed, as it was before; little of it is in memory at a time.
fn gunzipped(stream: ByteStream) -> impl futures_util::Stream<Item = Result<Bytes, BoxError>> + Send {
    struct Opening {
        stream: ByteStream,
        waiting: Bytes,
        /// None once it is at its end.
        decoder: Option<MultiGzDecoder<Vec<u8>>>,
    }
    let opening = Opening { stream, waiting: Bytes::new(), decoder: Some(MultiGzDecoder::new(Vec::new())) };
    stream::try_unfold(opening, |mut opening| async move {
        loop {
            let Some(mut decoder) = opening.decoder.take() else { return Ok(None) };
            if opening.waiting.is_empty() {
                match opening.stream.next().await {
                    Some(piece) => opening.waiting = piece?,
                    None => {
                        let last = decoder.finish()?;
                        return Ok(Some(Bytes::from(last)).filter(|last| !last.is_empty()).map(|last| (last, opening)));
                    }
                }
            }
            let some = opening.waiting.split_to(opening.waiting.len().min(OPENED_AT_ONCE));
            std::io::Write::write_all(&mut decoder, &some)?;
            let opened = std::mem::take(decoder.get_mut());
            opening.decoder = Some(decoder);
            if !opened.is_empty() {
                return Ok(Some((Bytes::from(opened), opening)));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[tokio::test]
    async fn compressed_bytes_are_opened_however_they_are_cut() {
        let plain: Vec<u8> = (0..300_000u32).flat_map(|number| (number / 7).to_le_bytes()).collect();
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        std::io::Write::write_all(&mut encoder, &plain).expect("in memory");
        let packed = encoder.finish().expect("in memory");
        for size in [1_000, 65_536, usize::MAX] {
            let pieces: Vec<Result<Bytes, BoxError>> =
                packed.chunks(size.min(packed.len())).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
            let mut opened = Vec::new();
            let mut stream = std::pin::pin!(gunzipped(Box::pin(stream::iter(pieces))));
            while let Some(piece) = stream.next().await {
                opened.extend_from_slice(&piece.expect("opened"));
            }
            assert!(opened == plain, "{size}");
        }
        let broken: Vec<Result<Bytes, BoxError>> = vec![Ok(Bytes::from_static(b"no gzip at all"))];
        let mut stream = std::pin::pin!(gunzipped(Box::pin(stream::iter(broken))));
        assert!(stream.next().await.is_some_and(|piece| piece.is_err()));
    }
}
