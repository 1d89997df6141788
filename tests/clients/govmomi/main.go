// Logs in with govmomi's REST client, lists virtual machines, tags and categories, is refused, and logs out.
// Arguments: address, CA file, user. The password is in PASSWORD. Prints a JSON object.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/soap"
)

type result struct {
	User       string   `json:"user"`
	Machines   []string `json:"machines"`
	Tags       []string `json:"tags"`
	Categories []string `json:"categories"`
	Tagging    string   `json:"tagging_error"`
	Missing    string   `json:"missing"`
	Refused    string   `json:"refused"`
	AfterEnd   bool     `json:"session_after_logout"`
}

func run(address, authorities, user, password string) (*result, error) {
	ctx := context.Background()
	target, err := url.Parse(address + "/sdk")
	if err != nil {
		return nil, err
	}
	transport := soap.NewClient(target, false)
	if err := transport.SetRootCAs(authorities); err != nil {
		return nil, err
	}
	client := rest.NewClient(&vim25.Client{Client: transport})
	found := &result{}
	if err := client.Login(ctx, url.UserPassword(user, "wrong")); err != nil {
		found.Refused = err.Error()
	}
	if err := client.Login(ctx, url.UserPassword(user, password)); err != nil {
		return nil, fmt.Errorf("login: %w", err)
	}
	session, err := client.Session(ctx)
	if err != nil || session == nil {
		return nil, fmt.Errorf("session %v: %w", session, err)
	}
	found.User = session.User
	var machines []struct {
		VM string `json:"vm"`
	}
	if err := client.Do(ctx, client.Resource("/vcenter/vm").Request(http.MethodGet), &machines); err != nil {
		return nil, fmt.Errorf("list: %w", err)
	}
	for _, machine := range machines {
		found.Machines = append(found.Machines, machine.VM)
	}
	manager := tags.NewManager(client)
	if found.Tags, err = manager.ListTags(ctx); err == nil {
		found.Categories, err = manager.ListCategories(ctx)
	}
	if err != nil {
		found.Tagging = err.Error()
	}
	if err := client.Do(ctx, client.Resource("/vcenter/vm/vm-none").Request(http.MethodGet), nil); err != nil {
		found.Missing = err.Error()
	}
	if err := client.Logout(ctx); err != nil {
		return nil, fmt.Errorf("logout: %w", err)
	}
	session, err = client.Session(ctx)
	found.AfterEnd = session != nil
	return found, err
}

func main() {
	found, err := run(os.Args[1], os.Args[2], os.Args[3], os.Getenv("PASSWORD"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	json.NewEncoder(os.Stdout).Encode(found)
}
