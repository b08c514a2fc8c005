import com.google.cloud.ServiceOptions;
import com.google.cloud.secretmanager.v1.AccessSecretVersionResponse;
import com.google.cloud.secretmanager.v1.ListSecretsRequest;
import com.google.cloud.secretmanager.v1.ListSecretVersionsRequest;
import com.google.cloud.secretmanager.v1.ProjectName;
import com.google.cloud.secretmanager.v1.Replication;
import com.google.cloud.secretmanager.v1.Secret;
import com.google.cloud.secretmanager.v1.SecretManagerServiceClient;
import com.google.cloud.secretmanager.v1.SecretManagerServiceSettings;
import com.google.cloud.secretmanager.v1.SecretName;
import com.google.cloud.secretmanager.v1.SecretPayload;
import com.google.cloud.secretmanager.v1.SecretVersion;
import com.google.cloud.secretmanager.v1.SecretVersionName;
import com.google.iam.v1.Binding;
import com.google.iam.v1.GetIamPolicyRequest;
import com.google.iam.v1.Policy;
import com.google.iam.v1.SetIamPolicyRequest;
import com.google.iam.v1.TestIamPermissionsRequest;
import com.google.protobuf.ByteString;
import com.google.protobuf.Duration;
import com.google.protobuf.FieldMask;
import java.util.List;
import java.util.stream.StreamSupport;
import java.util.zip.CRC32C;

final class SecretManagerCases {
  static void run(Cases cases) throws Exception {
    try (SecretManagerServiceClient grpc = SecretManagerServiceClient.create()) {
      over("gRPC", "java-grpc", grpc, cases);
    }
    try (SecretManagerServiceClient rest = SecretManagerServiceClient.create(SecretManagerServiceSettings.newHttpJsonBuilder().build())) {
      over("REST", "java-rest", rest, cases);
    }
  }

  private static void over(String wire, String id, SecretManagerServiceClient client, Cases cases) {
    String project = ServiceOptions.getDefaultProjectId();
    SecretName name = SecretName.of(project, id);
    ProjectName parent = ProjectName.of(project);

    cases.check(wire + ": reads a secret that devcloud up made", () -> {
      AccessSecretVersionResponse found = client.accessSecretVersion(SecretVersionName.of(project, "guestbook-settings", "latest"));
      Cases.isTrue("no title", found.getPayload().getData().toStringUtf8().contains("\"title\""));
    });
    cases.check(wire + ": creates and updates a secret", () -> {
      Secret wanted = Secret.newBuilder().setReplication(Replication.newBuilder().setAutomatic(Replication.Automatic.getDefaultInstance())).putLabels("team", "java").build();
      Secret made = client.createSecret(parent, id, wanted);
      Cases.isTrue(made.getName(), made.getName().matches("projects/\\d+/secrets/" + id));
      Secret updated = client.updateSecret(Secret.newBuilder().setName(name.toString()).putLabels("stage", "test").setTtl(Duration.newBuilder().setSeconds(86_400)).build(),
          FieldMask.newBuilder().addPaths("labels").addPaths("ttl").build());
      Cases.same("test", updated.getLabelsOrThrow("stage"));
      Cases.isTrue("no expire time", updated.hasExpireTime());
      Cases.refused(() -> client.createSecret(parent, id, wanted), "ALREADY_EXISTS", "already exists");
    });
    cases.check(wire + ": adds versions and reads the last one and the first", () -> {
      add(client, name, "one");
      add(client, name, "two");
      Cases.same("two", access(client, project, id, "latest"));
      Cases.same("one", access(client, project, id, "1"));
      Cases.same(SecretVersion.State.ENABLED, client.getSecretVersion(SecretVersionName.of(project, id, "2")).getState());
    });
    cases.check(wire + ": checks the checksum of a payload", () -> {
      Cases.refused(() -> client.addSecretVersion(name, SecretPayload.newBuilder().setData(ByteString.copyFromUtf8("x")).setDataCrc32C(1).build()), "hecksum");
    });
    cases.check(wire + ": disables, enables and destroys a version", () -> {
      SecretVersionName first = SecretVersionName.of(project, id, "1");
      Cases.same(SecretVersion.State.DISABLED, client.disableSecretVersion(first).getState());
      Cases.refused(() -> client.accessSecretVersion(first), "DISABLED");
      Cases.same(SecretVersion.State.ENABLED, client.enableSecretVersion(first).getState());
      Cases.same(SecretVersion.State.DESTROYED, client.destroySecretVersion(first).getState());
      Cases.refused(() -> client.accessSecretVersion(first), "DESTROYED");
    });
    cases.check(wire + ": lists secrets by filter and page, and versions by state", () -> {
      List<String> found = StreamSupport.stream(client.listSecrets(ListSecretsRequest.newBuilder().setParent(parent.toString()).setFilter("labels.stage=test AND name:" + id).build()).iterateAll().spliterator(), false).map((secret) -> SecretName.parse(secret.getName()).getSecret()).toList();
      Cases.same(List.of(id), found);
      long all = StreamSupport.stream(client.listSecrets(ListSecretsRequest.newBuilder().setParent(parent.toString()).setPageSize(1).build()).iterateAll().spliterator(), false).count();
      Cases.isTrue("pages give " + all, all >= 3);
      long enabled = StreamSupport.stream(client.listSecretVersions(ListSecretVersionsRequest.newBuilder().setParent(name.toString()).setFilter("state:ENABLED").build()).iterateAll().spliterator(), false).count();
      Cases.same(1L, enabled);
    });
    cases.check(wire + ": reads by an alias", () -> {
      client.updateSecret(Secret.newBuilder().setName(name.toString()).putVersionAliases("good", 2).build(), FieldMask.newBuilder().addPaths("version_aliases").build());
      Cases.same("two", access(client, project, id, "good"));
    });
    cases.check(wire + ": gets, sets and tests a policy", () -> {
      Policy policy = client.getIamPolicy(GetIamPolicyRequest.newBuilder().setResource(name.toString()).build());
      Binding binding = Binding.newBuilder().setRole("roles/secretmanager.secretAccessor").addMembers("user:a@b.example").build();
      client.setIamPolicy(SetIamPolicyRequest.newBuilder().setResource(name.toString()).setPolicy(policy.toBuilder().addBindings(binding)).build());
      Cases.same(List.of(binding), client.getIamPolicy(GetIamPolicyRequest.newBuilder().setResource(name.toString()).build()).getBindingsList());
      Cases.same(1, client.testIamPermissions(TestIamPermissionsRequest.newBuilder().setResource(name.toString()).addPermissions("secretmanager.versions.access").build()).getPermissionsCount());
    });
    cases.check(wire + ": deletes a secret, and names one that is not there", () -> {
      client.deleteSecret(name);
      Cases.refused(() -> client.getSecret(name), "NOT_FOUND", id);
    });
  }

  private static void add(SecretManagerServiceClient client, SecretName name, String value) {
    ByteString data = ByteString.copyFromUtf8(value);
    CRC32C sum = new CRC32C();
    sum.update(data.toByteArray());
    client.addSecretVersion(name, SecretPayload.newBuilder().setData(data).setDataCrc32C(sum.getValue()).build());
  }

  private static String access(SecretManagerServiceClient client, String project, String id, String version) {
    AccessSecretVersionResponse found = client.accessSecretVersion(SecretVersionName.of(project, id, version));
    CRC32C sum = new CRC32C();
    sum.update(found.getPayload().getData().toByteArray());
    Cases.same(sum.getValue(), found.getPayload().getDataCrc32C());
    return found.getPayload().getData().toStringUtf8();
  }
}
