"""The client of Google's discovery documents: httplib2, which looks at HTTPS_PROXY only where a module `socks` is."""

import google.auth
from googleapiclient.discovery import build

_, project = google.auth.default()
sql = build("sqladmin", "v1", cache_discovery=False)
print([instance["name"] for instance in sql.instances().list(project=project).execute()["items"]])
