package main

import (
	"context"
	"io"
	"net/http"
	"strings"

	"cloud.google.com/go/iam/apiv1/iampb"
	run "cloud.google.com/go/run/apiv2"
	pb "cloud.google.com/go/run/apiv2/runpb"
	"google.golang.org/api/idtoken"
	"google.golang.org/api/iterator"
)

const server = "require('http').createServer((q, s) => s.end(process.env.WORD)).listen(process.env.PORT)"

func runCases(ctx context.Context) {
	runOver("gRPC", "go-grpc", must(run.NewServicesClient(ctx)), must(run.NewRevisionsClient(ctx)), must(run.NewJobsClient(ctx)), must(run.NewExecutionsClient(ctx)), must(run.NewTasksClient(ctx)))
	runOver("REST", "go-rest", must(run.NewServicesRESTClient(ctx)), must(run.NewRevisionsRESTClient(ctx)), must(run.NewJobsRESTClient(ctx)), must(run.NewExecutionsRESTClient(ctx)), must(run.NewTasksRESTClient(ctx)))
}

func runOver(wire, id string, services *run.ServicesClient, revisions *run.RevisionsClient, jobs *run.JobsClient, executions *run.ExecutionsClient, tasks *run.TasksClient) {
	parent := "projects/" + project() + "/locations/us-central1"
	name := parent + "/services/" + id
	var image string

	check(wire+": lists and reads services and revisions", func(ctx context.Context) {
		service := must(services.ListServices(ctx, &pb.ListServicesRequest{Parent: parent}).Next())
		same(parent+"/services/guestbook", service.Name)
		same(true, strings.HasSuffix(service.Uri, ".run.app"))
		revision := must(revisions.ListRevisions(ctx, &pb.ListRevisionsRequest{Parent: service.Name}).Next())
		same(service.LatestReadyRevision, revision.Name)
		image = must(services.GetService(ctx, &pb.GetServiceRequest{Name: service.Name})).Template.Containers[0].Image
	})
	check(wire+": makes, changes, opens and deletes a service", func(ctx context.Context) {
		container := &pb.Container{Image: image, Command: []string{"node", "-e", server}, Env: []*pb.EnvVar{{Name: "WORD", Values: &pb.EnvVar_Value{Value: "one"}}}}
		wanted := &pb.Service{Template: &pb.RevisionTemplate{Containers: []*pb.Container{container}, Scaling: &pb.RevisionScaling{MaxInstanceCount: 2}}}
		made := must(must(services.CreateService(ctx, &pb.CreateServiceRequest{Parent: parent, ServiceId: id, Service: wanted})).Wait(ctx))
		same("one", asked(ctx, made.Uri))
		wanted.Name = made.Name
		container.Env[0].Values = &pb.EnvVar_Value{Value: "two"}
		must(must(services.UpdateService(ctx, &pb.UpdateServiceRequest{Service: wanted})).Wait(ctx))
		same("two", asked(ctx, made.Uri))
		policy := &iampb.Policy{Bindings: []*iampb.Binding{{Role: "roles/run.invoker", Members: []string{"allUsers"}}}}
		must(services.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: name, Policy: policy}))
		same("two", anonymous(made.Uri))
		must(must(services.DeleteService(ctx, &pb.DeleteServiceRequest{Name: name})).Wait(ctx))
		_, err := services.GetService(ctx, &pb.GetServiceRequest{Name: name})
		refused(err, "does not exist", id)
	})
	check(wire+": makes a job, runs it, waits for its end, and lists executions and tasks", func(ctx context.Context) {
		container := &pb.Container{Image: image, Command: []string{"node", "-e", "console.log(process.env.CLOUD_RUN_TASK_INDEX)"}}
		template := &pb.ExecutionTemplate{TaskCount: 2, Template: &pb.TaskTemplate{Containers: []*pb.Container{container}, Retries: &pb.TaskTemplate_MaxRetries{MaxRetries: 0}}}
		job := must(must(jobs.CreateJob(ctx, &pb.CreateJobRequest{Parent: parent, JobId: id, Job: &pb.Job{Template: template}})).Wait(ctx))
		ran := must(must(jobs.RunJob(ctx, &pb.RunJobRequest{Name: job.Name})).Wait(ctx))
		same(int32(2), ran.SucceededCount)
		same(ran.Name, must(executions.ListExecutions(ctx, &pb.ListExecutionsRequest{Parent: job.Name}).Next()).Name)
		count := 0
		for found := tasks.ListTasks(ctx, &pb.ListTasksRequest{Parent: ran.Name}); ; count++ {
			if _, err := found.Next(); err == iterator.Done {
				break
			} else {
				no(err)
			}
		}
		same(2, count)
		must(must(executions.DeleteExecution(ctx, &pb.DeleteExecutionRequest{Name: ran.Name})).Wait(ctx))
		must(must(jobs.DeleteJob(ctx, &pb.DeleteJobRequest{Name: job.Name})).Wait(ctx))
	})
}

// asked reads from a private service with an identity token of the metadata server.
func asked(ctx context.Context, uri string) string {
	client := must(idtoken.NewClient(ctx, uri))
	response := must(client.Do(must(http.NewRequestWithContext(ctx, "GET", uri, nil))))
	defer response.Body.Close()
	return string(must(io.ReadAll(response.Body)))
}
