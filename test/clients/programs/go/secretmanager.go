package main

import (
	"context"
	"hash/crc32"

	"cloud.google.com/go/iam/apiv1/iampb"
	secretmanager "cloud.google.com/go/secretmanager/apiv1"
	pb "cloud.google.com/go/secretmanager/apiv1/secretmanagerpb"
	"google.golang.org/api/iterator"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

func secretManagerCases(ctx context.Context) {
	secretsOver("gRPC", "go-grpc", must(secretmanager.NewClient(ctx)))
	secretsOver("REST", "go-rest", must(secretmanager.NewRESTClient(ctx)))
}

func secretsOver(wire, id string, client *secretmanager.Client) {
	parent := "projects/" + project()
	name := parent + "/secrets/" + id
	access := func(ctx context.Context, version string) string {
		found := must(client.AccessSecretVersion(ctx, &pb.AccessSecretVersionRequest{Name: name + "/versions/" + version}))
		same(int64(crc32.Checksum(found.Payload.Data, crc32.MakeTable(crc32.Castagnoli))), found.Payload.GetDataCrc32C())
		return string(found.Payload.Data)
	}

	check(wire+": creates and updates a secret, and adds versions", func(ctx context.Context) {
		secret := &pb.Secret{Replication: &pb.Replication{Replication: &pb.Replication_Automatic_{Automatic: &pb.Replication_Automatic{}}}, Labels: map[string]string{"team": "go"}}
		must(client.CreateSecret(ctx, &pb.CreateSecretRequest{Parent: parent, SecretId: id, Secret: secret}))
		_, err := client.CreateSecret(ctx, &pb.CreateSecretRequest{Parent: parent, SecretId: id, Secret: secret})
		refused(err, "already exists")
		updated := must(client.UpdateSecret(ctx, &pb.UpdateSecretRequest{Secret: &pb.Secret{Name: name, Labels: map[string]string{"stage": "test"}}, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels"}}}))
		same("test", updated.Labels["stage"])
		for _, value := range []string{"one", "two"} {
			must(client.AddSecretVersion(ctx, &pb.AddSecretVersionRequest{Parent: name, Payload: &pb.SecretPayload{Data: []byte(value)}}))
		}
		same("two", access(ctx, "latest"))
		same("one", access(ctx, "1"))
	})
	check(wire+": disables, enables and destroys a version", func(ctx context.Context) {
		first := name + "/versions/1"
		same(pb.SecretVersion_DISABLED, must(client.DisableSecretVersion(ctx, &pb.DisableSecretVersionRequest{Name: first})).State)
		_, err := client.AccessSecretVersion(ctx, &pb.AccessSecretVersionRequest{Name: first})
		refused(err, "DISABLED")
		same(pb.SecretVersion_ENABLED, must(client.EnableSecretVersion(ctx, &pb.EnableSecretVersionRequest{Name: first})).State)
		same(pb.SecretVersion_DESTROYED, must(client.DestroySecretVersion(ctx, &pb.DestroySecretVersionRequest{Name: first})).State)
	})
	check(wire+": lists secrets by filter and page, and versions by state", func(ctx context.Context) {
		secrets := client.ListSecrets(ctx, &pb.ListSecretsRequest{Parent: parent, Filter: "labels.stage=test AND name:" + id, PageSize: 1})
		same("test", must(secrets.Next()).Labels["stage"])
		_, err := secrets.Next()
		same(iterator.Done, err)
		versions := client.ListSecretVersions(ctx, &pb.ListSecretVersionsRequest{Parent: name, Filter: "state:ENABLED"})
		same(pb.SecretVersion_ENABLED, must(versions.Next()).State)
		_, err = versions.Next()
		same(iterator.Done, err)
	})
	check(wire+": sets, gets and tests a policy, and deletes the secret", func(ctx context.Context) {
		policy := must(client.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: name}))
		policy.Bindings = []*iampb.Binding{{Role: "roles/secretmanager.secretAccessor", Members: []string{"user:a@b.example"}}}
		must(client.SetIamPolicy(ctx, &iampb.SetIamPolicyRequest{Resource: name, Policy: policy}))
		same("user:a@b.example", must(client.GetIamPolicy(ctx, &iampb.GetIamPolicyRequest{Resource: name})).Bindings[0].Members[0])
		same(1, len(must(client.TestIamPermissions(ctx, &iampb.TestIamPermissionsRequest{Resource: name, Permissions: []string{"secretmanager.versions.access"}})).Permissions))
		no(client.DeleteSecret(ctx, &pb.DeleteSecretRequest{Name: name}))
		_, err := client.GetSecret(ctx, &pb.GetSecretRequest{Name: name})
		refused(err, id)
	})
}
