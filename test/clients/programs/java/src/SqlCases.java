import com.google.api.client.googleapis.javanet.GoogleNetHttpTransport;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.services.sqladmin.SQLAdmin;
import com.google.api.services.sqladmin.model.Database;
import com.google.api.services.sqladmin.model.DatabaseInstance;
import com.google.api.services.sqladmin.model.InstancesCloneRequest;
import com.google.api.services.sqladmin.model.Operation;
import com.google.api.services.sqladmin.model.Settings;
import com.google.api.services.sqladmin.model.User;
import com.google.auth.http.HttpCredentialsAdapter;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.cloud.ServiceOptions;
import java.util.List;
import java.util.Map;

final class SqlCases {
  static void run(Cases cases) throws Exception {
    String project = ServiceOptions.getDefaultProjectId();
    GoogleCredentials credentials = GoogleCredentials.getApplicationDefault().createScoped("https://www.googleapis.com/auth/cloud-platform");
    // The transport of Google's samples: it trusts the roots that the library brings along, and no other.
    SQLAdmin sql = new SQLAdmin.Builder(GoogleNetHttpTransport.newTrustedTransport(), GsonFactory.getDefaultInstance(), new HttpCredentialsAdapter(credentials))
        .setApplicationName("java-clients").build();

    cases.check("lists and reads instances, tiers and flags", () -> {
      Cases.same(List.of("main"), sql.instances().list(project).execute().getItems().stream().map(DatabaseInstance::getName).toList());
      DatabaseInstance main = sql.instances().get(project, "main").execute();
      Cases.same("RUNNABLE", main.getState());
      Cases.same("guestbook:us-central1:main", main.getConnectionName());
      Cases.isTrue("no tiers", !sql.tiers().list(project).execute().getItems().isEmpty());
      Cases.isTrue("no flags", !sql.flags().list().execute().getItems().isEmpty());
    });
    cases.check("makes, lists, changes and drops a database", () -> {
      done(sql, project, sql.databases().insert(project, "main", new Database().setName("extra")).execute());
      Cases.same(List.of("extra", "guestbook", "postgres"), sql.databases().list(project, "main").execute().getItems().stream().map(Database::getName).sorted().toList());
      Cases.same("UTF8", sql.databases().get(project, "main", "extra").execute().getCharset());
      done(sql, project, sql.databases().patch(project, "main", "extra", new Database().setCharset("UTF8")).execute());
      done(sql, project, sql.databases().delete(project, "main", "extra").execute());
      Cases.refused(() -> sql.databases().get(project, "main", "extra").execute(), "404");
    });
    cases.check("makes, lists, changes and drops a user", () -> {
      done(sql, project, sql.users().insert(project, "main", new User().setName("ann").setPassword("first")).execute());
      Cases.same(List.of("ann", "guestbook", "postgres"), sql.users().list(project, "main").execute().getItems().stream().map(User::getName).sorted().toList());
      done(sql, project, sql.users().update(project, "main", new User().setName("ann").setPassword("second")).setName("ann").execute());
      Cases.same("ann", sql.users().get(project, "main", "ann").execute().getName());
      done(sql, project, sql.users().delete(project, "main").setName("ann").execute());
    });
    cases.check("makes, changes, restarts and removes an instance", () -> {
      DatabaseInstance wanted = new DatabaseInstance().setName("by-java").setDatabaseVersion("POSTGRES_17").setRegion("us-central1").setRootPassword("pw")
          .setSettings(new Settings().setTier("db-f1-micro").setUserLabels(Map.of("team", "java")));
      done(sql, project, sql.instances().insert(project, wanted).execute());
      DatabaseInstance made = sql.instances().get(project, "by-java").execute();
      Cases.same("java", made.getSettings().getUserLabels().get("team"));
      Cases.same("POSTGRES_17", made.getDatabaseVersion());
      done(sql, project, sql.instances().patch(project, "by-java", new DatabaseInstance().setSettings(new Settings().setTier("db-custom-1-3840"))).execute());
      Cases.same("db-custom-1-3840", sql.instances().get(project, "by-java").execute().getSettings().getTier());
      DatabaseInstance whole = sql.instances().get(project, "by-java").execute();
      done(sql, project, sql.instances().update(project, "by-java", whole).execute());
      done(sql, project, sql.instances().restart(project, "by-java").execute());
      Cases.refused(() -> sql.instances().insert(project, wanted).execute(), "409");
      done(sql, project, sql.instances().delete(project, "by-java").execute());
      Cases.refused(() -> sql.instances().get(project, "by-java").execute(), "40");
    });
    cases.check("lists operations of an instance", () -> {
      List<Operation> found = sql.operations().list(project).setInstance("main").execute().getItems();
      Cases.isTrue("no operations", found.size() >= 5);
      Cases.same(found.get(0).getName(), sql.operations().get(project, found.get(0).getName()).execute().getName());
    });
    cases.check("names what is not emulated, at once", () -> {
      Cases.refused(() -> sql.instances().clone(project, "main", new InstancesCloneRequest()).execute(), "devcloud does not emulate", "clone");
    });
  }

  private static void done(SQLAdmin sql, String project, Operation told) throws Exception {
    Operation operation = told;
    while (!"DONE".equals(operation.getStatus())) {
      Thread.sleep(200);
      operation = sql.operations().get(project, operation.getName()).execute();
    }
    Cases.same(null, operation.getError());
  }
}
