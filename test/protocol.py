# A service that follows docs/protocol.md and knows nothing else of Banyan: it serves media's public reads from Python.
import base64, json, os, sys, threading, time, urllib.request, uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

CONTROL, KEY = os.environ["CONTROL_URL"], json.loads(os.environ["SERVICE_KEY"])
ID, MODULE, CONTRACT = os.environ["INSTANCE_ID"], "media", json.loads(os.environ["CONTRACT"])
snapshot, host = {"version": 0, "services": {}}, str(uuid.uuid4())
encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=").decode()
decode = lambda text: base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
private = Ed25519PrivateKey.from_private_bytes(decode(KEY["d"]))

def token(audience):
    now = int(time.time())
    claims = {"iss": "banyan:internal", "sub": MODULE, "aud": audience, "iat": now, "exp": now + 300}
    head = {"alg": "EdDSA", "typ": "JWT", "kid": KEY["kid"]}
    body = ".".join(encode(json.dumps(part).encode()) for part in (head, claims))
    return f"{body}.{encode(private.sign(body.encode()))}"

def caller(text):
    try:
        head, claims, signature = text.split(".")
        kid, said = json.loads(decode(head))["kid"], json.loads(decode(claims))
        for name, service in snapshot["services"].items():
            for key in service["keys"]:
                if key["kid"] != kid:
                    continue
                Ed25519PublicKey.from_public_bytes(decode(key["x"])).verify(decode(signature), f"{head}.{claims}".encode())
                now = time.time()
                right = said["iss"] == "banyan:internal" and said["aud"] == MODULE and said["sub"] == name
                return name if right and said["exp"] > now - 30 and said["iat"] < now + 90 else None
    except Exception:
        return None

class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def answer(self, status, body, kind="application/json"):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def do_GET(self):
        bearer = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        who = caller(self.headers.get("x-internal-token") or bearer)
        if self.path.startswith("/health/"):
            self.answer(200, {"status": "ok"})
        elif who is None:
            self.answer(401, {"type": "about:blank", "title": "Who asks?", "status": 401}, "application/problem+json")
        elif self.path == "/calls":
            self.answer(200, {"host": ID})
        elif who != "monolith":
            self.answer(403, {"type": "about:blank", "title": "Not allowed", "status": 403}, "application/problem+json")
        else:
            self.answer(200, {"items": [], "nextCursor": None, "by": "Python"})
    def log_message(self, *_):
        pass

server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
threading.Thread(target=server.serve_forever, daemon=True).start()
tag, known = "", False
while True:
    beat = {"host": host, "appliedVersion": snapshot["version"], "ready": True, "draining": False, "inflight": {}, "busy": {}}
    body = {"tag": tag, "waitMs": 500 if known else 0, "beat": beat}
    if not known:
        url = f"http://127.0.0.1:{server.server_port}"
        body["register"] = {"host": host, "id": ID, "role": "service", "modules": [MODULE], "url": url,
                            "doors": ["http"], "contracts": {MODULE: CONTRACT}}
    headers = {"authorization": f"Bearer {token('control')}", "content-type": "application/json"}
    try:
        request = urllib.request.Request(f"{CONTROL}/control/sync", json.dumps(body).encode(), headers)
        got = json.load(urllib.request.urlopen(request, timeout=3))
        known, tag, snapshot = got["known"], got["tag"], got.get("snapshot", snapshot)
    except urllib.error.HTTPError as error:
        print(error.code, error.read().decode(), flush=True)
        if error.code in (401, 403, 409):
            sys.exit(1)
        time.sleep(0.1)
