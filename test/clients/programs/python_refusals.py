"""Calls of what devcloud does not emulate, each with the words of its error, as a line of JSON."""

import json

import google.auth
from google.auth.transport.requests import AuthorizedSession
from google.cloud import run_v2, secretmanager, storage
from googleapiclient.discovery import build

credentials, project = google.auth.default(scopes=["https://www.googleapis.com/auth/cloud-platform"])
bucket = storage.Client().bucket(f"{project}-pictures")
pubsub = f"https://pubsub.googleapis.com/v1/projects/{project}/topics"
limits = run_v2.ResourceRequirements(limits={"nvidia.com/gpu": "1"})
gpu = run_v2.Service(template=run_v2.RevisionTemplate(containers=[run_v2.Container(image="a", resources=limits)]))
calls = {
    "notification": lambda: bucket.notification(topic_name="topic").create(),
    "HMAC key": lambda: storage.Client().create_hmac_key(service_account_email="a@b.example"),
    "another host": lambda: AuthorizedSession(credentials).get(pubsub).text,
    "another host by gRPC": lambda: secretmanager.SecretManagerServiceClient(
        client_options={"api_endpoint": "pubsub.googleapis.com"}
    ).get_secret(name=f"projects/{project}/secrets/a"),
    "clone": lambda: build("sqladmin", "v1").instances().clone(project=project, instance="main", body={}).execute(),
    "GPU": lambda: run_v2.ServicesClient().create_service(
        parent=f"projects/{project}/locations/us-central1", service=gpu, service_id="gpu"
    ),
}
for name, call in calls.items():
    try:
        words = str(call())
    except Exception as error:
        words = str(error)
    print(json.dumps({"name": name, "words": words}))
