package main

import (
	"context"
	"sort"
	"strings"
	"time"

	sqladmin "google.golang.org/api/sqladmin/v1beta4"
)

func sqlCases(ctx context.Context) {
	sql := must(sqladmin.NewService(ctx))
	done := func(ctx context.Context, operation *sqladmin.Operation, err error) {
		for no(err); operation.Status != "DONE"; no(err) {
			time.Sleep(200 * time.Millisecond)
			operation, err = sql.Operations.Get(project(), operation.Name).Context(ctx).Do()
		}
		if operation.Error != nil {
			panic(operation.Error.Errors[0].Message)
		}
	}

	check("lists and reads instances, tiers, flags and operations", func(ctx context.Context) {
		instances := must(sql.Instances.List(project()).Context(ctx).Do()).Items
		same("main", instances[0].Name)
		same("guestbook:us-central1:main", must(sql.Instances.Get(project(), "main").Context(ctx).Do()).ConnectionName)
		same(true, len(must(sql.Tiers.List(project()).Context(ctx).Do()).Items) > 0)
		same(true, len(must(sql.Flags.List().Context(ctx).Do()).Items) > 0)
		same(true, len(must(sql.Operations.List(project()).Instance("main").Context(ctx).Do()).Items) > 0)
	})
	check("makes, lists and drops a database and a user", func(ctx context.Context) {
		operation, err := sql.Databases.Insert(project(), "main", &sqladmin.Database{Name: "extra"}).Context(ctx).Do()
		done(ctx, operation, err)
		var found []string
		for _, database := range must(sql.Databases.List(project(), "main").Context(ctx).Do()).Items {
			found = append(found, database.Name)
		}
		sort.Strings(found)
		same("extra guestbook postgres", strings.Join(found, " "))
		operation, err = sql.Databases.Delete(project(), "main", "extra").Context(ctx).Do()
		done(ctx, operation, err)
		operation, err = sql.Users.Insert(project(), "main", &sqladmin.User{Name: "ann", Password: "first"}).Context(ctx).Do()
		done(ctx, operation, err)
		operation, err = sql.Users.Update(project(), "main", &sqladmin.User{Password: "second"}).Name("ann").Context(ctx).Do()
		done(ctx, operation, err)
		operation, err = sql.Users.Delete(project(), "main").Name("ann").Context(ctx).Do()
		done(ctx, operation, err)
	})
	check("makes, changes and removes an instance", func(ctx context.Context) {
		wanted := &sqladmin.DatabaseInstance{Name: "by-go", DatabaseVersion: "POSTGRES_18", Region: "us-central1", Settings: &sqladmin.Settings{Tier: "db-f1-micro"}}
		operation, err := sql.Instances.Insert(project(), wanted).Context(ctx).Do()
		done(ctx, operation, err)
		operation, err = sql.Instances.Patch(project(), "by-go", &sqladmin.DatabaseInstance{Settings: &sqladmin.Settings{Tier: "db-custom-1-3840"}}).Context(ctx).Do()
		done(ctx, operation, err)
		same("db-custom-1-3840", must(sql.Instances.Get(project(), "by-go").Context(ctx).Do()).Settings.Tier)
		operation, err = sql.Instances.Delete(project(), "by-go").Context(ctx).Do()
		done(ctx, operation, err)
		_, err = sql.Instances.Get(project(), "by-go").Context(ctx).Do()
		refused(err, "40")
	})
}
