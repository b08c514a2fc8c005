import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.cloud.Binding;
import com.google.cloud.Condition;
import com.google.cloud.Identity;
import com.google.cloud.Policy;
import com.google.cloud.ReadChannel;
import com.google.cloud.WriteChannel;
import com.google.cloud.storage.Acl;
import com.google.cloud.storage.Blob;
import com.google.cloud.storage.BlobId;
import com.google.cloud.storage.BlobInfo;
import com.google.cloud.storage.Bucket;
import com.google.cloud.storage.BucketInfo;
import com.google.cloud.storage.BucketInfo.LifecycleRule;
import com.google.cloud.storage.BucketInfo.LifecycleRule.LifecycleAction;
import com.google.cloud.storage.BucketInfo.LifecycleRule.LifecycleCondition;
import com.google.cloud.storage.Cors;
import com.google.cloud.storage.HttpMethod;
import com.google.cloud.storage.NotificationInfo;
import com.google.cloud.storage.ServiceAccount;
import com.google.cloud.storage.Storage;
import com.google.cloud.storage.StorageBatch;
import com.google.cloud.storage.StorageBatchResult;
import com.google.cloud.storage.StorageClass;
import com.google.cloud.storage.StorageException;
import com.google.cloud.storage.StorageOptions;
import java.io.ByteArrayOutputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.StreamSupport;

final class StorageCases {
  private static final String BUCKET = "by-java";
  private static final byte[] BIG = big();

  static void run(Cases cases) {
    Storage storage = StorageOptions.getDefaultInstance().getService();

    cases.check("creates a bucket with rules, labels, CORS and versions", () -> {
      BucketInfo wanted = BucketInfo.newBuilder(BUCKET)
          .setLocation("europe-west1")
          .setStorageClass(StorageClass.NEARLINE)
          .setVersioningEnabled(true)
          .setLabels(Map.of("team", "java"))
          .setLifecycleRules(List.of(new LifecycleRule(LifecycleAction.newDeleteAction(), LifecycleCondition.newBuilder().setAge(30).build())))
          .setCors(List.of(Cors.newBuilder().setOrigins(List.of(Cors.Origin.any())).setMethods(List.of(HttpMethod.GET)).setMaxAgeSeconds(60).build()))
          .build();
      Bucket made = storage.create(wanted);
      Cases.same("EUROPE-WEST1", made.getLocation());
      Cases.same("region", made.getLocationType());
      Cases.same(StorageClass.NEARLINE, made.getStorageClass());
      Cases.same(Map.of("team", "java"), made.getLabels());
      Cases.same(30, made.getLifecycleRules().get(0).getCondition().getAge());
      Cases.same(60, made.getCors().get(0).getMaxAgeSeconds());
    });
    cases.check("updates a bucket, takes a label away, and lists it", () -> {
      Bucket bucket = storage.get(BUCKET);
      Bucket updated = bucket.toBuilder().setDefaultEventBasedHold(false).setLifecycleRules(List.of()).setCors(List.of()).build().update();
      Cases.same(List.of(), new ArrayList<>(updated.getCors() == null ? List.of() : updated.getCors()));
      java.util.HashMap<String, String> labels = new java.util.HashMap<>();
      labels.put("team", null);
      labels.put("stage", "test");
      Cases.same(Map.of("stage", "test"), storage.update(BucketInfo.newBuilder(BUCKET).setLabels(labels).build()).getLabels());
      Cases.same(List.of(BUCKET), StreamSupport.stream(storage.list(Storage.BucketListOption.prefix("by-")).iterateAll().spliterator(), false).map(Bucket::getName).toList());
      Cases.same(null, storage.get("by-java-absent"));
      Cases.refused(() -> storage.create(BucketInfo.of(BUCKET)), "409");
    });
    cases.check("creates, reads and describes an object with a strange name", () -> {
      BlobInfo info = BlobInfo.newBuilder(BUCKET, "ä b/+%?#").setContentType("text/plain").setMetadata(Map.of("k", "v")).setCacheControl("no-cache").build();
      Blob made = storage.create(info, "simple".getBytes(UTF_8));
      Cases.same(6L, made.getSize());
      Cases.same("v", made.getMetadata().get("k"));
      Cases.same("simple", new String(storage.readAllBytes(made.getBlobId()), UTF_8));
      Cases.same("simple", new String(made.getContent(), UTF_8));
      Blob some = storage.get(made.getBlobId(), Storage.BlobGetOption.fields(Storage.BlobField.SIZE));
      Cases.same(6L, some.getSize());
      Cases.same(null, some.getContentType());
    });
    cases.check("creates an empty object, and one that is packed by the client", () -> {
      Cases.same(0L, storage.create(BlobInfo.newBuilder(BUCKET, "empty").build()).getSize());
      Blob packed = storage.create(BlobInfo.newBuilder(BUCKET, "packed").build(), "packed".getBytes(UTF_8), Storage.BlobTargetOption.disableGzipContent());
      Cases.same("packed", new String(packed.getContent(), UTF_8));
      Blob plain = storage.createFrom(BlobInfo.newBuilder(BUCKET, "stream").build(), new java.io.ByteArrayInputStream(BIG));
      Cases.same((long) BIG.length, plain.getSize());
    });
    cases.check("writes by a resumable upload in chunks, and reads a part by a channel", () -> {
      try (WriteChannel writer = storage.writer(BlobInfo.newBuilder(BUCKET, "big").setContentType("application/octet-stream").build())) {
        writer.setChunkSize(1 << 20);
        writer.write(ByteBuffer.wrap(BIG));
      }
      Cases.same(BIG, storage.readAllBytes(BUCKET, "big"));
      try (ReadChannel reader = storage.reader(BUCKET, "big")) {
        reader.seek(1000);
        reader.limit(1010);
        Cases.same(Arrays.copyOfRange(BIG, 1000, 1010), Channels.newInputStream(reader).readAllBytes());
      }
    });
    cases.check("continues a resumable upload from a captured state", () -> {
      WriteChannel first = storage.writer(BlobInfo.newBuilder(BUCKET, "captured").build());
      first.setChunkSize(1 << 20);
      first.write(ByteBuffer.wrap(BIG, 0, 1 << 20));
      try (WriteChannel second = first.capture().restore()) {
        second.write(ByteBuffer.wrap(BIG, 1 << 20, BIG.length - (1 << 20)));
      }
      Cases.same(BIG, storage.readAllBytes(BUCKET, "captured"));
    });
    cases.check("uploads a file and downloads it", () -> {
      Path file = Files.createTempFile("java", "up");
      Path back = Files.createTempFile("java", "down");
      Files.write(file, BIG);
      storage.createFrom(BlobInfo.newBuilder(BUCKET, "file").build(), file);
      storage.downloadTo(BlobId.of(BUCKET, "file"), back);
      Cases.same(BIG, Files.readAllBytes(back));
      ByteArrayOutputStream out = new ByteArrayOutputStream();
      storage.get(BUCKET, "file").downloadTo(out);
      Cases.same(BIG, out.toByteArray());
      Files.delete(file);
      Files.delete(back);
    });
    cases.check("updates metadata, and takes one entry away", () -> {
      Blob blob = storage.get(BUCKET, "ä b/+%?#");
      java.util.HashMap<String, String> metadata = new java.util.HashMap<>();
      metadata.put("k", null);
      metadata.put("l", "w");
      Blob updated = blob.toBuilder().setMetadata(metadata).setContentType("text/html").setContentDisposition("inline").build().update();
      Cases.same(Map.of("l", "w"), updated.getMetadata());
      Cases.same("text/html", updated.getContentType());
      Cases.same(2L, updated.getMetageneration());
    });
    cases.check("lists by prefix, delimiter, glob and page", () -> {
      for (String name : List.of("l/a", "l/b/c", "l/b/d", "l/e")) storage.create(BlobInfo.newBuilder(BUCKET, name).build(), name.getBytes(UTF_8));
      Cases.same(List.of("l/a", "l/b/c", "l/b/d", "l/e"), names(storage, Storage.BlobListOption.prefix("l/")));
      Cases.same(List.of("l/a", "l/b/c", "l/b/d", "l/e"), names(storage, Storage.BlobListOption.prefix("l/"), Storage.BlobListOption.pageSize(1)));
      Cases.same(List.of("l/a", "l/e", "l/b/"), names(storage, Storage.BlobListOption.prefix("l/"), Storage.BlobListOption.currentDirectory()));
      Cases.same(List.of("l/b/c", "l/b/d"), names(storage, Storage.BlobListOption.matchGlob("l/*/*")));
      Cases.same(List.of("l/b/c"), names(storage, Storage.BlobListOption.startOffset("l/b/c"), Storage.BlobListOption.endOffset("l/b/d")));
      Cases.same(List.of("l/a"), names(storage, Storage.BlobListOption.prefix("l/a"), Storage.BlobListOption.fields(Storage.BlobField.NAME)));
    });
    cases.check("keeps versions, and reads and removes an older one", () -> {
      Blob first = storage.create(BlobInfo.newBuilder(BUCKET, "v").build(), "one".getBytes(UTF_8));
      storage.create(BlobInfo.newBuilder(BUCKET, "v").build(), "two".getBytes(UTF_8));
      Cases.same("one", new String(storage.readAllBytes(first.getBlobId()), UTF_8));
      Cases.same(List.of("v", "v"), names(storage, Storage.BlobListOption.prefix("v"), Storage.BlobListOption.versions(true)));
      Cases.same(true, storage.delete(first.getBlobId()));
      Cases.same(List.of("v"), names(storage, Storage.BlobListOption.prefix("v"), Storage.BlobListOption.versions(true)));
    });
    cases.check("honours preconditions", () -> {
      Blob made = storage.create(BlobInfo.newBuilder(BUCKET, "p").build(), "p".getBytes(UTF_8), Storage.BlobTargetOption.doesNotExist());
      Cases.refused(() -> storage.create(BlobInfo.newBuilder(BUCKET, "p").build(), new byte[0], Storage.BlobTargetOption.doesNotExist()), "412");
      Cases.refused(() -> storage.delete(BUCKET, "p", Storage.BlobSourceOption.generationMatch(1)), "412");
      Cases.refused(() -> storage.readAllBytes(BUCKET, "p", Storage.BlobSourceOption.metagenerationMatch(9)), "412");
      storage.create(made.toBuilder().build(), "q".getBytes(UTF_8), Storage.BlobTargetOption.generationMatch());
      Cases.same("q", new String(storage.readAllBytes(BUCKET, "p"), UTF_8));
    });
    cases.check("composes, copies and rewrites", () -> {
      Blob composed = storage.compose(Storage.ComposeRequest.newBuilder().addSource("l/a", "l/e").setTarget(BlobInfo.newBuilder(BUCKET, "c").setContentType("text/plain").build()).build());
      Cases.same(2, composed.getComponentCount());
      Cases.same("l/al/e", new String(composed.getContent(), UTF_8));
      Blob copied = storage.copy(Storage.CopyRequest.of(BlobId.of(BUCKET, "big"), BlobId.of(BUCKET, "copy"))).getResult();
      Cases.same((long) BIG.length, copied.getSize());
      Blob changed = copied.copyTo(BlobInfo.newBuilder(BUCKET, "changed").setContentType("image/png").setStorageClass(StorageClass.STANDARD).build().getBlobId()).getResult();
      Cases.same((long) BIG.length, changed.getSize());
      Blob standard = storage.copy(Storage.CopyRequest.newBuilder().setSource(BUCKET, "copy").setTarget(BlobInfo.newBuilder(BUCKET, "copy").setStorageClass(StorageClass.STANDARD).build()).build()).getResult();
      Cases.same(StorageClass.STANDARD, standard.getStorageClass());
    });
    cases.check("gets, updates and deletes in a batch", () -> {
      StorageBatch batch = storage.batch();
      StorageBatchResult<Blob> got = batch.get(BUCKET, "l/a");
      StorageBatchResult<Blob> absent = batch.get(BUCKET, "absent");
      StorageBatchResult<Blob> updated = batch.update(BlobInfo.newBuilder(BUCKET, "l/e").setContentType("a/b").build());
      StorageBatchResult<Boolean> deleted = batch.delete(BUCKET, "l/b/c");
      batch.submit();
      Cases.same("l/a", got.get().getName());
      Cases.same(null, absent.get());
      Cases.same("a/b", updated.get().getContentType());
      Cases.same(true, deleted.get());
      Cases.same(List.of(true, false), storage.delete(BlobId.of(BUCKET, "l/b/d"), BlobId.of(BUCKET, "absent")));
      Cases.same(Arrays.asList("l/a", null), storage.get(BlobId.of(BUCKET, "l/a"), BlobId.of(BUCKET, "absent")).stream().map((blob) -> blob == null ? null : blob.getName()).toList());
    });
    cases.check("lists, makes and removes entries of access, of objects, buckets and coming objects", () -> {
      BlobId blob = BlobId.of(BUCKET, "l/a");
      Acl all = Acl.of(Acl.User.ofAllUsers(), Acl.Role.READER);
      Cases.same(Acl.Role.READER, storage.createAcl(blob, all).getRole());
      Cases.same(Acl.Role.READER, storage.getAcl(blob, Acl.User.ofAllUsers()).getRole());
      Cases.isTrue("allUsers is not listed", storage.listAcls(blob).stream().anyMatch((acl) -> acl.getEntity().equals(Acl.User.ofAllUsers())));
      Cases.same("l/a", anonymous(new URL("https://storage.googleapis.com/" + BUCKET + "/l/a")));
      Cases.same(Acl.Role.READER, storage.createAcl(blob, Acl.of(Acl.User.ofAllAuthenticatedUsers(), Acl.Role.READER)).getRole());
      Cases.same(Acl.Role.OWNER, storage.updateAcl(blob, Acl.of(Acl.User.ofAllAuthenticatedUsers(), Acl.Role.OWNER)).getRole());
      Cases.same(true, storage.deleteAcl(blob, Acl.User.ofAllUsers()));
      Cases.same(null, storage.getAcl(blob, Acl.User.ofAllUsers()));
      Cases.same(Acl.Role.READER, storage.createAcl(BUCKET, Acl.of(new Acl.User("a@b.example"), Acl.Role.READER)).getRole());
      Cases.same(true, storage.deleteAcl(BUCKET, new Acl.User("a@b.example")));
      Cases.same(Acl.Role.READER, storage.createDefaultAcl(BUCKET, all).getRole());
      Cases.same(true, storage.deleteDefaultAcl(BUCKET, Acl.User.ofAllUsers()));
      Cases.same("l/a", storage.create(BlobInfo.newBuilder(BUCKET, "l/a").setAcl(List.of(all)).build(), "l/a".getBytes(UTF_8)).getName());
      Cases.same("l/a", anonymous(new URL("https://storage.googleapis.com/" + BUCKET + "/l/a")));
    });
    cases.check("gets, sets and tests a policy, with a condition", () -> {
      Storage.BucketSourceOption version = Storage.BucketSourceOption.requestedPolicyVersion(3);
      storage.update(BucketInfo.newBuilder(BUCKET).setIamConfiguration(BucketInfo.IamConfiguration.newBuilder().setIsUniformBucketLevelAccessEnabled(true).build()).build());
      Policy policy = storage.getIamPolicy(BUCKET, version);
      List<Binding> bindings = new ArrayList<>(policy.getBindingsList());
      bindings.add(Binding.newBuilder().setRole("roles/storage.objectViewer").setMembers(List.of("user:a@b.example"))
          .setCondition(Condition.newBuilder().setTitle("t").setDescription("d").setExpression("resource.name.startsWith(\"projects/_/buckets/by-java/objects/l\")").build()).build());
      Policy set = storage.setIamPolicy(BUCKET, policy.toBuilder().setBindings(bindings).setVersion(3).build(), version);
      Cases.same(3, set.getVersion());
      Cases.same("t", storage.getIamPolicy(BUCKET, version).getBindingsList().stream().filter((binding) -> binding.getCondition() != null).findFirst().get().getCondition().getTitle());
      Cases.same(List.of(true, true), storage.testIamPermissions(BUCKET, List.of("storage.objects.get", "storage.buckets.get")));
      Policy open = storage.getIamPolicy(BUCKET, version);
      List<Binding> more = new ArrayList<>(open.getBindingsList());
      more.add(Binding.newBuilder().setRole("roles/storage.objectViewer").setMembers(List.of(Identity.allUsers().strValue())).build());
      storage.setIamPolicy(BUCKET, open.toBuilder().setBindings(more).build(), version);
      Cases.same("l/e", anonymous(new URL("https://storage.googleapis.com/" + BUCKET + "/l/e")));
    });
    cases.check("signs URLs of version 4 and 2 by the credentials of the metadata server", () -> {
      BlobInfo blob = BlobInfo.newBuilder(BUCKET, "ä b/+%?#").build();
      Cases.same("simple", anonymous(storage.signUrl(blob, 60, TimeUnit.SECONDS, Storage.SignUrlOption.withV4Signature())));
      Cases.same("simple", anonymous(storage.signUrl(blob, 60, TimeUnit.SECONDS, Storage.SignUrlOption.withV2Signature())));
      Cases.same("simple", anonymous(storage.signUrl(blob, 60, TimeUnit.SECONDS, Storage.SignUrlOption.withV4Signature(), Storage.SignUrlOption.withVirtualHostedStyle())));
      Cases.same("simple", anonymous(storage.signUrl(blob, 60, TimeUnit.SECONDS, Storage.SignUrlOption.withV4Signature(), Storage.SignUrlOption.withQueryParams(Map.of("response-content-type", "a/b")))));
    });
    cases.check("holds objects, and refuses to remove them", () -> {
      storage.update(BlobInfo.newBuilder(BUCKET, "c").setTemporaryHold(true).build());
      Cases.refused(() -> storage.delete(BUCKET, "c"), "403");
      storage.update(BlobInfo.newBuilder(BUCKET, "c").setTemporaryHold(false).build());
      Cases.same(true, storage.delete(BUCKET, "c"));
      Cases.same(false, storage.delete(BUCKET, "c-absent"));
    });
    cases.check("knows the service account of the project, and has neither notifications nor HMAC keys", () -> {
      Cases.isTrue("no email", storage.getServiceAccount("guestbook").getEmail().contains("@"));
      Cases.same(List.of(), storage.listNotifications(BUCKET));
      Cases.isTrue("has HMAC keys", !storage.listHmacKeys().iterateAll().iterator().hasNext());
    });
    cases.check("is told at once what is not emulated", () -> {
      Cases.refused(() -> storage.createHmacKey(ServiceAccount.of("a@b.example")), "devcloud does not emulate", "hmacKeys");
      Cases.refused(() -> storage.createNotification(BUCKET, NotificationInfo.newBuilder("projects/guestbook/topics/t").setPayloadFormat(NotificationInfo.PayloadFormat.JSON_API_V1).build()), "devcloud does not emulate", "notificationConfigs");
      Cases.refused(() -> StorageOptions.grpc().build().getService().get(BUCKET), "devcloud does not emulate");
    });
    cases.check("removes objects and the bucket", () -> {
      Cases.refused(() -> storage.delete(BUCKET), "409");
      for (Blob blob : storage.list(BUCKET, Storage.BlobListOption.versions(true)).iterateAll()) storage.delete(blob.getBlobId());
      Cases.same(true, storage.delete(BUCKET));
      Cases.same(false, storage.delete(BUCKET));
    });
  }

  private static List<String> names(Storage storage, Storage.BlobListOption... options) {
    return StreamSupport.stream(storage.list(BUCKET, options).iterateAll().spliterator(), false).map(Blob::getName).toList();
  }

  private static String anonymous(URL url) throws Exception {
    HttpURLConnection connection = (HttpURLConnection) url.openConnection();
    if (connection.getResponseCode() != 200) throw new StorageException(connection.getResponseCode(), new String(connection.getErrorStream().readAllBytes(), UTF_8));
    return new String(connection.getInputStream().readAllBytes(), UTF_8);
  }

  private static byte[] big() {
    byte[] bytes = new byte[3_000_000];
    new java.util.Random(7).nextBytes(bytes);
    return bytes;
  }
}
