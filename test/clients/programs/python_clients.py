"""A program that names nothing of devcloud: default clients, default credentials. It prints what it saw as JSON."""

import json

import google.auth
from google.auth.transport.requests import Request
from google.cloud import secretmanager, storage
from google.oauth2 import id_token

credentials, project = google.auth.default()

bucket = storage.Client().create_bucket("by-python")
bucket.blob("ä b").upload_from_string("simple")
big = bucket.blob("big", chunk_size=1 << 20)
big.upload_from_string(b"x" * 3_000_000)
content = bucket.blob("ä b").download_as_text()
files = [[blob.name, blob.size] for blob in bucket.list_blobs()]
policy = bucket.get_iam_policy(requested_policy_version=3)
policy.bindings.append({"role": "roles/storage.objectViewer", "members": {"allUsers"}})
bucket.set_iam_policy(policy)
bucket.delete(force=True)

name = f"projects/{project}/secrets/guestbook-settings/versions/latest"
secrets = [
    secretmanager.SecretManagerServiceClient(transport=transport).access_secret_version(name=name).payload.data.decode()
    for transport in ("grpc", "rest")
]

token = id_token.fetch_id_token(Request(), "https://a")
email = id_token.verify_oauth2_token(token, Request(), "https://a")["email"]

seen = {
    "credentials": type(credentials).__module__,
    "project": project,
    "content": content,
    "files": files,
    "secrets": secrets,
    "email": email,
}
print(json.dumps(seen))
