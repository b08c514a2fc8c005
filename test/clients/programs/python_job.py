"""A program that names nothing of devcloud: it makes a job of a service's image, runs it, and waits for it to end. It prints what it saw as JSON."""

import json

import google.auth
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import run_v2

_, project = google.auth.default()
parent = f"projects/{project}/locations/us-central1"
image = next(iter(run_v2.ServicesClient().list_services(parent=parent))).template.containers[0].image

code = "import os; print('task ' + os.environ['CLOUD_RUN_TASK_INDEX']); raise SystemExit(int(os.environ.get('CODE', '0')))"
container = run_v2.Container(image=image, command=["python3", "-c", code])
template = run_v2.ExecutionTemplate(task_count=2, template=run_v2.TaskTemplate(containers=[container], max_retries=0))

jobs = run_v2.JobsClient()
job = jobs.create_job(parent=parent, job=run_v2.Job(template=template), job_id="by-python").result()
execution = jobs.run_job(name=job.name).result()
tasks = run_v2.TasksClient().list_tasks(parent=execution.name)

code_three = run_v2.RunJobRequest.Overrides.ContainerOverride(env=[run_v2.EnvVar(name="CODE", value="3")])
failing = run_v2.RunJobRequest.Overrides(container_overrides=[code_three])
try:
    jobs.run_job(run_v2.RunJobRequest(name=job.name, overrides=failing)).result()
    failure = None
except GoogleAPICallError as error:
    failure = error.message

print(
    json.dumps(
        {
            "job": job.name,
            "succeeded": execution.succeeded_count,
            "tasks": [task.index for task in tasks],
            "completed": execution.completion_time is not None,
            "failure": failure,
            "executions": jobs.get_job(name=job.name).execution_count,
        }
    )
)
