package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"cloud.google.com/go/iam/apiv1/iampb"
	"cloud.google.com/go/storage"
	"google.golang.org/api/iterator"
	"google.golang.org/genproto/googleapis/type/expr"
)

func storageCases(ctx context.Context) {
	client := must(storage.NewClient(ctx))
	bucket := client.Bucket("by-go")
	big := bytes.Repeat([]byte("0123456789"), 300_000)

	check("creates, updates and lists a bucket", func(ctx context.Context) {
		no(bucket.Create(ctx, project(), &storage.BucketAttrs{
			Location:          "EU",
			StorageClass:      "NEARLINE",
			VersioningEnabled: true,
			Labels:            map[string]string{"team": "go"},
			Lifecycle:         storage.Lifecycle{Rules: []storage.LifecycleRule{{Action: storage.LifecycleAction{Type: "Delete"}, Condition: storage.LifecycleCondition{AgeInDays: 30}}}},
			CORS:              []storage.CORS{{Origins: []string{"*"}, Methods: []string{"GET"}, MaxAge: time.Minute}},
		}))
		attrs := must(bucket.Attrs(ctx))
		same("EU", attrs.Location)
		same("multi-region", attrs.LocationType)
		same("go", attrs.Labels["team"])
		var update storage.BucketAttrsToUpdate
		update.DeleteLabel("team")
		update.SetLabel("stage", "test")
		update.CORS = []storage.CORS{}
		updated := must(bucket.Update(ctx, update))
		same(map[string]string{"stage": "test"}, updated.Labels)
		same(0, len(updated.CORS))
		buckets := client.Buckets(ctx, project())
		buckets.Prefix = "by-"
		same("by-go", must(buckets.Next()).Name)
		refused(bucket.Create(ctx, project(), nil), "409")
		_, err := client.Bucket("by-go-absent").Attrs(ctx)
		same(storage.ErrBucketNotExist.Error(), err.Error()[:len(storage.ErrBucketNotExist.Error())])
	})
	check("writes an object in one request and in chunks, and reads it whole and in part", func(ctx context.Context) {
		write(ctx, bucket.Object("ä b/+%?#"), []byte("simple"), 0)
		write(ctx, bucket.Object("big"), big, 1<<20)
		same("simple", read(ctx, bucket.Object("ä b/+%?#")))
		same(string(big), read(ctx, bucket.Object("big")))
		part := must(bucket.Object("big").NewRangeReader(ctx, 1000, 10))
		same("0123456789", string(must(io.ReadAll(part))))
		last := must(bucket.Object("big").NewRangeReader(ctx, -5, -1))
		same("56789", string(must(io.ReadAll(last))))
		_, err := bucket.Object("absent").NewReader(ctx)
		refused(err, "object doesn't exist")
	})
	check("updates metadata", func(ctx context.Context) {
		attrs := must(bucket.Object("big").Update(ctx, storage.ObjectAttrsToUpdate{ContentType: "a/b", CacheControl: "no-cache", Metadata: map[string]string{"k": "v"}}))
		same("v", attrs.Metadata["k"])
		same("a/b", attrs.ContentType)
		attrs = must(bucket.Object("big").Update(ctx, storage.ObjectAttrsToUpdate{CacheControl: "", Metadata: map[string]string{}}))
		same(0, len(attrs.Metadata))
		same("", attrs.CacheControl)
	})
	check("lists by prefix, delimiter, glob, offsets and selected fields", func(ctx context.Context) {
		for _, name := range []string{"l/a", "l/b/c", "l/b/d", "l/e"} {
			write(ctx, bucket.Object(name), []byte(name), 0)
		}
		same("l/a l/b/c l/b/d l/e", names(bucket.Objects(ctx, &storage.Query{Prefix: "l/"})))
		same("l/a l/e l/b/", names(bucket.Objects(ctx, &storage.Query{Prefix: "l/", Delimiter: "/"})))
		same("l/b/c l/b/d", names(bucket.Objects(ctx, &storage.Query{MatchGlob: "l/*/*"})))
		same("l/b/c", names(bucket.Objects(ctx, &storage.Query{StartOffset: "l/b/c", EndOffset: "l/b/d"})))
		query := &storage.Query{Prefix: "l/a"}
		no(query.SetAttrSelection([]string{"Name"}))
		same("l/a", names(bucket.Objects(ctx, query)))
	})
	check("keeps versions and honours preconditions", func(ctx context.Context) {
		write(ctx, bucket.Object("v"), []byte("one"), 0)
		first := must(bucket.Object("v").Attrs(ctx)).Generation
		write(ctx, bucket.Object("v"), []byte("two"), 0)
		same("one", read(ctx, bucket.Object("v").Generation(first)))
		same("v v", names(bucket.Objects(ctx, &storage.Query{Prefix: "v", Versions: true})))
		no(bucket.Object("v").Generation(first).Delete(ctx))
		writer := bucket.Object("v").If(storage.Conditions{DoesNotExist: true}).NewWriter(ctx)
		must(writer.Write([]byte("x")))
		refused(writer.Close(), "412")
		refused(bucket.Object("v").If(storage.Conditions{GenerationMatch: 1}).Delete(ctx), "412")
	})
	check("composes and copies", func(ctx context.Context) {
		composed := must(bucket.Object("c").ComposerFrom(bucket.Object("l/a"), bucket.Object("l/e")).Run(ctx))
		same(int64(2), composed.ComponentCount)
		same("l/al/e", read(ctx, bucket.Object("c")))
		copier := bucket.Object("copy").CopierFrom(bucket.Object("big"))
		copier.StorageClass = "STANDARD"
		same("STANDARD", must(copier.Run(ctx)).StorageClass)
	})
	check("sets, lists and removes entries of access", func(ctx context.Context) {
		acl := bucket.Object("l/a").ACL()
		no(acl.Set(ctx, storage.AllUsers, storage.RoleReader))
		rules := must(acl.List(ctx))
		same(storage.AllUsers, rules[len(rules)-1].Entity)
		same("l/a", anonymous("https://storage.googleapis.com/by-go/l/a"))
		no(acl.Delete(ctx, storage.AllUsers))
		no(bucket.ACL().Set(ctx, "user-a@b.example", storage.RoleReader))
		no(bucket.ACL().Delete(ctx, "user-a@b.example"))
		no(bucket.DefaultObjectACL().Set(ctx, storage.AllUsers, storage.RoleReader))
		no(bucket.DefaultObjectACL().Delete(ctx, storage.AllUsers))
	})
	check("sets and tests a policy with a condition", func(ctx context.Context) {
		must(bucket.Update(ctx, storage.BucketAttrsToUpdate{UniformBucketLevelAccess: &storage.UniformBucketLevelAccess{Enabled: true}}))
		policy := must(bucket.IAM().V3().Policy(ctx))
		policy.Bindings = append(policy.Bindings, &iampb.Binding{
			Role: "roles/storage.objectViewer", Members: []string{"user:a@b.example"},
			Condition: &expr.Expr{Title: "t", Expression: `resource.name.startsWith("projects/_/buckets/by-go/objects/l")`},
		})
		no(bucket.IAM().V3().SetPolicy(ctx, policy))
		found := must(bucket.IAM().V3().Policy(ctx)).Bindings
		same("t", found[len(found)-1].Condition.Title)
		same(1, len(must(bucket.IAM().TestPermissions(ctx, []string{"storage.objects.get"}))))
	})
	check("signs URLs of version 4 and 2 by the credentials of the metadata server", func(ctx context.Context) {
		for _, scheme := range []storage.SigningScheme{storage.SigningSchemeV4, storage.SigningSchemeV2} {
			url := must(bucket.SignedURL("ä b/+%?#", &storage.SignedURLOptions{Scheme: scheme, Method: "GET", Expires: time.Now().Add(time.Minute)}))
			same("simple", anonymous(url))
		}
	})
	check("has neither notifications nor HMAC keys, and knows the service account", func(ctx context.Context) {
		same(0, len(must(bucket.Notifications(ctx))))
		_, err := client.ListHMACKeys(ctx, project()).Next()
		same(iterator.Done, err)
		same(true, strings.Contains(must(client.ServiceAccount(ctx, project())), "@"))
	})
	check("holds an object, and removes objects and the bucket", func(ctx context.Context) {
		must(bucket.Object("c").Update(ctx, storage.ObjectAttrsToUpdate{TemporaryHold: true}))
		refused(bucket.Object("c").Delete(ctx), "403")
		must(bucket.Object("c").Update(ctx, storage.ObjectAttrsToUpdate{TemporaryHold: false}))
		refused(bucket.Delete(ctx), "409")
		objects := bucket.Objects(ctx, &storage.Query{Versions: true})
		for attrs, err := objects.Next(); err != iterator.Done; attrs, err = objects.Next() {
			no(err)
			no(bucket.Object(attrs.Name).Generation(attrs.Generation).Delete(ctx))
		}
		no(bucket.Delete(ctx))
	})
}

// write sends data at once, or in chunks of chunkBytes.
func write(ctx context.Context, object *storage.ObjectHandle, data []byte, chunkBytes int) {
	writer := object.NewWriter(ctx)
	writer.ChunkSize = chunkBytes
	must(writer.Write(data))
	no(writer.Close())
}

func read(ctx context.Context, object *storage.ObjectHandle) string {
	reader := must(object.NewReader(ctx))
	defer reader.Close()
	return string(must(io.ReadAll(reader)))
}

func names(objects *storage.ObjectIterator) string {
	var found []string
	for attrs, err := objects.Next(); err != iterator.Done; attrs, err = objects.Next() {
		no(err)
		found = append(found, attrs.Name+attrs.Prefix)
	}
	return strings.Join(found, " ")
}

func anonymous(url string) string {
	response := must(http.Get(url))
	defer response.Body.Close()
	return string(must(io.ReadAll(response.Body)))
}
