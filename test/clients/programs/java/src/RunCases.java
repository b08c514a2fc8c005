import com.google.api.client.googleapis.javanet.GoogleNetHttpTransport;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.services.run.v1.CloudRun;
import com.google.api.services.run.v1.model.Binding;
import com.google.api.services.run.v1.model.Container;
import com.google.api.services.run.v1.model.EnvVar;
import com.google.api.services.run.v1.model.Execution;
import com.google.api.services.run.v1.model.ExecutionSpec;
import com.google.api.services.run.v1.model.ExecutionTemplateSpec;
import com.google.api.services.run.v1.model.GoogleCloudRunV1Condition;
import com.google.api.services.run.v1.model.Job;
import com.google.api.services.run.v1.model.JobSpec;
import com.google.api.services.run.v1.model.ObjectMeta;
import com.google.api.services.run.v1.model.Policy;
import com.google.api.services.run.v1.model.Revision;
import com.google.api.services.run.v1.model.RevisionSpec;
import com.google.api.services.run.v1.model.RevisionTemplate;
import com.google.api.services.run.v1.model.RunJobRequest;
import com.google.api.services.run.v1.model.Service;
import com.google.api.services.run.v1.model.ServiceSpec;
import com.google.api.services.run.v1.model.SetIamPolicyRequest;
import com.google.api.services.run.v1.model.TaskSpec;
import com.google.api.services.run.v1.model.TaskTemplateSpec;
import com.google.api.services.run.v1.model.TestIamPermissionsRequest;
import com.google.auth.http.HttpCredentialsAdapter;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.auth.oauth2.IdTokenCredentials;
import com.google.auth.oauth2.IdTokenProvider;
import com.google.cloud.ServiceOptions;
import java.net.URL;
import java.net.URLConnection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

final class RunCases {
  private static final String SERVER = "require('http').createServer((q, s) => s.end(process.env.WORD)).listen(process.env.PORT)";

  static void run(Cases cases) throws Exception {
    String project = ServiceOptions.getDefaultProjectId();
    String namespace = "namespaces/" + project;
    GoogleCredentials credentials = GoogleCredentials.getApplicationDefault().createScoped("https://www.googleapis.com/auth/cloud-platform");
    CloudRun run = new CloudRun.Builder(GoogleNetHttpTransport.newTrustedTransport(), GsonFactory.getDefaultInstance(), new HttpCredentialsAdapter(credentials))
        .setApplicationName("java-clients").setRootUrl("https://us-central1-run.googleapis.com/").build();
    var services = run.namespaces().services();
    var policies = run.projects().locations().services();
    var jobs = run.namespaces().jobs();
    var executions = run.namespaces().executions();
    String image = services.get(namespace + "/services/guestbook").execute().getSpec().getTemplate().getSpec().getContainers().get(0).getImage();

    cases.check("lists and reads services, revisions, routes and configurations", () -> {
      Cases.same(List.of("guestbook"), services.list(namespace).execute().getItems().stream().map((service) -> service.getMetadata().getName()).toList());
      Service service = services.get(namespace + "/services/guestbook").execute();
      Cases.isTrue(service.getStatus().getUrl(), service.getStatus().getUrl().endsWith(".run.app"));
      List<Revision> revisions = run.namespaces().revisions().list(namespace).setLabelSelector("serving.knative.dev/service=guestbook").execute().getItems();
      Cases.same(List.of(service.getStatus().getLatestReadyRevisionName()), revisions.stream().map((revision) -> revision.getMetadata().getName()).toList());
      Cases.same("guestbook", run.namespaces().routes().get(namespace + "/routes/guestbook").execute().getMetadata().getName());
      Cases.same("guestbook", run.namespaces().configurations().get(namespace + "/configurations/guestbook").execute().getMetadata().getName());
    });
    cases.check("makes, replaces, opens and deletes a service", () -> {
      String name = namespace + "/services/by-java";
      Container container = new Container().setImage(image).setCommand(List.of("node", "-e", SERVER)).setEnv(List.of(new EnvVar().setName("WORD").setValue("one")));
      Service wanted = new Service().setApiVersion("serving.knative.dev/v1").setKind("Service")
          .setMetadata(new ObjectMeta().setName("by-java").setNamespace(project).setLabels(Map.of("team", "java")))
          .setSpec(new ServiceSpec().setTemplate(new RevisionTemplate().setSpec(new RevisionSpec().setContainers(List.of(container)))));
      services.create(namespace, wanted).execute();
      Service made = ready(() -> services.get(name).execute());
      Cases.same("java", made.getMetadata().getLabels().get("team"));
      Cases.same("one", asked(made.getStatus().getUrl(), credentials));
      made.getSpec().getTemplate().getSpec().getContainers().get(0).setEnv(List.of(new EnvVar().setName("WORD").setValue("two")));
      services.replaceService(name, made).execute();
      Service replaced = ready(() -> services.get(name).execute());
      Cases.same("two", asked(replaced.getStatus().getUrl(), credentials));
      String resource = "projects/" + project + "/locations/us-central1/services/by-java";
      policies.setIamPolicy(resource, new SetIamPolicyRequest().setPolicy(new Policy().setBindings(List.of(new Binding().setRole("roles/run.invoker").setMembers(List.of("allUsers")))))).execute();
      Cases.same(List.of("allUsers"), policies.getIamPolicy(resource).execute().getBindings().get(0).getMembers());
      Cases.same(List.of("run.services.get"), policies.testIamPermissions(resource, new TestIamPermissionsRequest().setPermissions(List.of("run.services.get"))).execute().getPermissions());
      Cases.same("two", new String(new URL(replaced.getStatus().getUrl()).openStream().readAllBytes()));
      services.delete(name).execute();
      Cases.refused(() -> ready(() -> services.get(name).execute()), "404");
    });
    cases.check("makes a job, runs it, waits for its end, and lists executions and tasks", () -> {
      Container container = new Container().setImage(image).setCommand(List.of("node", "-e", "console.log('task', process.env.CLOUD_RUN_TASK_INDEX)"));
      ExecutionSpec execution = new ExecutionSpec().setTaskCount(2).setTemplate(new TaskTemplateSpec().setSpec(new TaskSpec().setContainers(List.of(container)).setMaxRetries(0)));
      Job wanted = new Job().setApiVersion("run.googleapis.com/v1").setKind("Job").setMetadata(new ObjectMeta().setName("by-java").setNamespace(project))
          .setSpec(new JobSpec().setTemplate(new ExecutionTemplateSpec().setSpec(execution)));
      jobs.create(namespace, wanted).execute();
      String started = jobs.run(namespace + "/jobs/by-java", new RunJobRequest()).execute().getMetadata().getName();
      Execution ended = executions.get(namespace + "/executions/" + started).execute();
      while (ended.getStatus().getCompletionTime() == null) {
        Thread.sleep(200);
        ended = executions.get(namespace + "/executions/" + started).execute();
      }
      Cases.same(2, ended.getStatus().getSucceededCount());
      Cases.same(2, run.namespaces().tasks().list(namespace).setLabelSelector("run.googleapis.com/execution=" + started).execute().getItems().size());
      executions.delete(namespace + "/executions/" + started).execute();
      jobs.delete(namespace + "/jobs/by-java").execute();
      Cases.refused(() -> jobs.get(namespace + "/jobs/by-java").execute(), "404");
    });
    cases.check("gets an identity token for a service", () -> {
      IdTokenCredentials identity = IdTokenCredentials.newBuilder().setIdTokenProvider((IdTokenProvider) credentials).setTargetAudience("https://a").build();
      identity.refresh();
      Cases.same(3, identity.getIdToken().getTokenValue().split("\\.").length);
    });
  }

  private static String asked(String url, GoogleCredentials credentials) throws Exception {
    IdTokenCredentials identity = IdTokenCredentials.newBuilder().setIdTokenProvider((IdTokenProvider) credentials).setTargetAudience(url).build();
    identity.refresh();
    URLConnection connection = new URL(url).openConnection();
    connection.setRequestProperty("Authorization", "Bearer " + identity.getIdToken().getTokenValue());
    return new String(connection.getInputStream().readAllBytes());
  }

  /** Asks until the generation that is wanted is ready. */
  private static Service ready(Callable<Service> get) throws Exception {
    for (;;) {
      Service service = get.call();
      boolean isSeen = service.getMetadata().getGeneration().equals(service.getStatus().getObservedGeneration());
      for (GoogleCloudRunV1Condition condition : service.getStatus().getConditions()) {
        if (!isSeen || !condition.getType().equals("Ready")) continue;
        if ("True".equals(condition.getStatus()) && service.getMetadata().getDeletionTimestamp() == null) return service;
        if ("False".equals(condition.getStatus())) throw new AssertionError(condition.toString());
      }
      Thread.sleep(200);
    }
  }
}
