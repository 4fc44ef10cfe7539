#!/bin/sh
# Sends deliveries from outside, as somebody else's system would. Run it with: emu exec -- make test
set -eu

: "${EMU_URL:?run this under emu: emu exec -- make test}"
secret=${WEBHOOK_SECRET:-only-for-development}

sign() { printf 'sha256=%s' "$(printf %s "$1" | openssl dgst -sha256 -hmac "$secret" -r | cut -d' ' -f1)"; }

# deliver KIND BODY SIGNATURE EXPECTED
deliver() {
  answer=$(curl -sS -w ' %{http_code}' "$EMU_URL/webhook" -H "x-github-event: $1" -H "x-hub-signature-256: $3" --data-binary "$2")
  [ "$answer" = "$4" ] || { echo "$1 $2: $answer instead of $4" >&2; exit 1; }
}

push='{"ref":"refs/heads/main","repository":{"full_name":"ada/engine"},"commits":[{"id":"1"}]}'
deliver push "$push" "$(sign "$push")" '1 commits to refs/heads/main of ada/engine 202'
deliver ping '{}' "$(sign '{}')" 'pong 200'
deliver push '{' "$(sign '{')" 'the body cannot be read 400'
# Changed on its way, and not signed.
deliver ping '{ }' "$(sign '{}')" 'the signature is wrong 401'
answer=$(curl -sS "$EMU_URL/webhook" -d '{}')
[ "$answer" = 'the request is not signed' ] || { echo "unsigned: $answer" >&2; exit 1; }
echo 'deliveries passed'
