// Programs that name nothing of devcloud: default clients, default credentials.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"runtime/debug"
	"strings"
	"time"
)

const secondsEach = 40

func main() {
	programs := map[string]func(context.Context){
		"storage":       storageCases,
		"secretmanager": secretManagerCases,
		"sql":           sqlCases,
		"run":           runCases,
		"refusals":      refusals,
	}
	programs[os.Args[1]](context.Background())
}

// check runs a named case and prints a line of JSON: its name, and why it failed.
func check(name string, body func(ctx context.Context)) {
	ctx, cancel := context.WithTimeout(context.Background(), secondsEach*time.Second)
	defer cancel()
	failure := func() (words string) {
		defer func() {
			if fault := recover(); fault != nil {
				words = fmt.Sprintf("%v\n%s", fault, callers())
			}
		}()
		body(ctx)
		return ""
	}()
	print(map[string]any{"name": name, "failure": failure})
}

func print(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

func callers() string {
	var lines []string
	for _, line := range strings.Split(string(debug.Stack()), "\n") {
		if strings.Contains(line, "/programs/go/") && !strings.Contains(line, "main.go") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "\n")
}

// must gives the value of a call that must succeed.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func no(err error) {
	if err != nil {
		panic(err)
	}
}

func same[T any](expected, found T) {
	if !reflect.DeepEqual(expected, found) {
		panic(fmt.Sprintf("expected %v, found %v", expected, found))
	}
}

// refused waits for an error whose words hold all of words.
func refused(err error, words ...string) {
	if err == nil {
		panic("not refused")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			panic(fmt.Sprintf("not told %q but: %v", word, err))
		}
	}
}

func project() string { return os.Getenv("GOOGLE_CLOUD_PROJECT") }
