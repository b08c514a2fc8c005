package main

import (
	"context"
	"fmt"
	"io"
	"time"

	run "cloud.google.com/go/run/apiv2"
	"cloud.google.com/go/run/apiv2/runpb"
	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	"cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"cloud.google.com/go/storage"
	"google.golang.org/api/option"
	sqladmin "google.golang.org/api/sqladmin/v1beta4"
	htransport "google.golang.org/api/transport/http"
)

// refusals prints for each call of what devcloud does not emulate the words of its error.
func refusals(ctx context.Context) {
	client := must(storage.NewClient(ctx))
	sql := must(sqladmin.NewService(ctx))
	services := must(run.NewServicesClient(ctx))
	tell := func(name string, call func(ctx context.Context) (any, error)) {
		ctx, cancel := context.WithTimeout(ctx, secondsEach*time.Second)
		defer cancel()
		answer, err := call(ctx)
		if err != nil {
			answer = err
		}
		print(map[string]string{"name": name, "words": fmt.Sprint(answer)})
	}
	tell("notification", func(ctx context.Context) (any, error) {
		topic := &storage.Notification{TopicID: "topic", TopicProjectID: project(), PayloadFormat: storage.JSONPayload}
		return client.Bucket(project()+"-pictures").AddNotification(ctx, topic)
	})
	tell("HMAC key", func(ctx context.Context) (any, error) { return client.CreateHMACKey(ctx, project(), "a@b.example") })
	tell("another host", func(ctx context.Context) (any, error) {
		http, _, err := htransport.NewClient(ctx, option.WithScopes("https://www.googleapis.com/auth/cloud-platform"))
		no(err)
		response, err := http.Get("https://pubsub.googleapis.com/v1/projects/" + project() + "/topics")
		if err != nil {
			return nil, err
		}
		body, err := io.ReadAll(response.Body)
		return string(body), err
	})
	tell("another host by gRPC", func(ctx context.Context) (any, error) {
		secrets := must(secretmanager.NewClient(ctx, option.WithEndpoint("pubsub.googleapis.com:443")))
		return secrets.GetSecret(ctx, &secretmanagerpb.GetSecretRequest{Name: "projects/" + project() + "/secrets/a"})
	})
	tell("storage by gRPC", func(ctx context.Context) (any, error) {
		return must(storage.NewGRPCClient(ctx)).Bucket(project() + "-pictures").Attrs(ctx)
	})
	tell("clone", func(ctx context.Context) (any, error) {
		return sql.Instances.Clone(project(), "main", &sqladmin.InstancesCloneRequest{}).Context(ctx).Do()
	})
	tell("GPU", func(ctx context.Context) (any, error) {
		container := &runpb.Container{Image: "a", Resources: &runpb.ResourceRequirements{Limits: map[string]string{"nvidia.com/gpu": "1"}}}
		service := &runpb.Service{Template: &runpb.RevisionTemplate{Containers: []*runpb.Container{container}}}
		return services.CreateService(ctx, &runpb.CreateServiceRequest{Parent: "projects/" + project() + "/locations/us-central1", ServiceId: "gpu", Service: service})
	})
}
