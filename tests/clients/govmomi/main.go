// Logs in with govmomi's REST client, lists virtual machines, tags and categories, makes, attaches and deletes some, is
// refused, and logs out.
// Arguments: address, CA file, user. The password is in PASSWORD. Prints a JSON object.
package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"os"

	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/tags"
	"github.com/vmware/govmomi/vim25"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
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
	Life       *life    `json:"life"`
}

// What became of a category with two tags, from its making to its end.
type life struct {
	Category []string `json:"category"`
	Taken    string   `json:"taken"`
	Attached []string `json:"attached"`
	Objects  []string `json:"objects"`
	Both     []string `json:"both"`
	Found    []string `json:"found"`
	Single   string   `json:"single"`
	Detached []string `json:"detached"`
	Gone     string   `json:"gone"`
}

func live(ctx context.Context, manager *tags.Manager, machines []string) (*life, error) {
	seen := &life{}
	category := &tags.Category{
		Name: "govmomi", Description: "by govmomi", Cardinality: "SINGLE", AssociableTypes: []string{"VirtualMachine"},
	}
	id, err := manager.CreateCategory(ctx, category)
	if err != nil {
		return nil, fmt.Errorf("create category: %w", err)
	}
	if category, err = manager.GetCategory(ctx, "govmomi"); err != nil {
		return nil, fmt.Errorf("get category: %w", err)
	}
	seen.Category = append([]string{category.Name, category.Cardinality}, category.AssociableTypes...)
	if _, err = manager.CreateCategory(ctx, category); err != nil {
		seen.Taken = err.Error()
	}
	made := []string{}
	for _, name := range []string{"one", "two"} {
		tag, err := manager.CreateTag(ctx, &tags.Tag{Name: name, Description: name, CategoryID: id})
		if err != nil {
			return nil, fmt.Errorf("create tag: %w", err)
		}
		made = append(made, tag)
	}
	first := types.ManagedObjectReference{Type: "VirtualMachine", Value: machines[0]}
	second := types.ManagedObjectReference{Type: "VirtualMachine", Value: machines[1]}
	if err := manager.AttachTag(ctx, made[0], first); err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	if err := manager.AttachTagToMultipleObjects(ctx, made[1], []mo.Reference{second}); err != nil {
		return nil, fmt.Errorf("attach to multiple: %w", err)
	}
	if err := manager.AttachTag(ctx, made[1], first); err != nil {
		seen.Single = err.Error()
	}
	attached, err := manager.GetAttachedTags(ctx, first)
	if err != nil {
		return nil, fmt.Errorf("attached: %w", err)
	}
	for _, tag := range attached {
		seen.Attached = append(seen.Attached, tag.Name)
	}
	objects, err := manager.ListAttachedObjects(ctx, made[0])
	if err != nil {
		return nil, fmt.Errorf("objects: %w", err)
	}
	for _, object := range objects {
		seen.Objects = append(seen.Objects, object.Reference().Value)
	}
	both, err := manager.GetAttachedTagsOnObjects(ctx, []mo.Reference{first, second})
	if err != nil {
		return nil, fmt.Errorf("tags on objects: %w", err)
	}
	for _, each := range both {
		for _, tag := range each.Tags {
			seen.Both = append(seen.Both, each.ObjectID.Reference().Value+" "+tag.Name)
		}
	}
	found, err := manager.GetTagsForCategory(ctx, "govmomi")
	if err != nil {
		return nil, fmt.Errorf("tags of category: %w", err)
	}
	for _, tag := range found {
		seen.Found = append(seen.Found, tag.Name)
	}
	if err := manager.DetachTag(ctx, made[0], first); err != nil {
		return nil, fmt.Errorf("detach: %w", err)
	}
	if seen.Detached, err = manager.ListAttachedTags(ctx, first); err != nil {
		return nil, fmt.Errorf("detached: %w", err)
	}
	if err := manager.DeleteCategory(ctx, category); err != nil {
		return nil, fmt.Errorf("delete category: %w", err)
	}
	if _, err := manager.GetTag(ctx, made[1]); err != nil {
		seen.Gone = err.Error()
	}
	return seen, nil
}

func run(address, authorities, user, password string) (*result, error) {
	ctx := context.Background()
	transport, err := connected(address, authorities)
	if err != nil {
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
	if found.Life, err = live(ctx, manager, found.Machines); err != nil {
		return nil, err
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
	say(run(os.Args[1], os.Args[2], os.Args[3], os.Getenv("PASSWORD")))
}
