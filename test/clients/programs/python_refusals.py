"""What calls of what is not emulated end with: the code and the words of each error."""

import json

from google.cloud import run_v2, secretmanager, storage

bucket = storage.Client().bucket("guestbook-pictures")
parent = "projects/guestbook/locations/us-central1"
volume = run_v2.Volume(name="v", nfs=run_v2.NFSVolumeSource(server="s", path="/"))
container = run_v2.Container(image="x", volume_mounts=[run_v2.VolumeMount(name="v", mount_path="/v")])
service = run_v2.Service(template=run_v2.RevisionTemplate(containers=[container], volumes=[volume]))
create = run_v2.CreateServiceRequest(parent=parent, service_id="nfs", service=service)
calls = {
    "notification": lambda: bucket.notification(topic_name="t").create(),
    "hmacKey": lambda: storage.Client().create_hmac_key("a@guestbook.iam.gserviceaccount.com"),
    "customerKey": lambda: bucket.blob("sealed", encryption_key=bytes(32)).upload_from_string("x"),
    "nfs": lambda: run_v2.ServicesClient().create_service(create),
    "nfsOverRest": lambda: run_v2.ServicesClient(transport="rest").create_service(create),
    "regionalSecret": lambda: secretmanager.SecretManagerServiceClient().get_secret(name=parent + "/secrets/s"),
}
told = {}
for name, call in calls.items():
    try:
        call()
        told[name] = "done"
    except Exception as error:
        told[name] = [int(getattr(error, "code", 0) or 0), str(error)]
print(json.dumps(told))
