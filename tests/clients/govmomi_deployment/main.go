// Does with packages, templates and sessions of content libraries what govc's library commands do: import (library.import),
// look up by paths with wildcards (library.ls), deploy (library.deploy), clone as package and as template (library.clone),
// check out and in (library.checkout, library.checkin), export (library.export), list and end sessions (library.session).
// Arguments: address, CA file, user, datastore, resource pool, folder, machine, folder of a package. The password is in
// PASSWORD. Prints a JSON object.
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/library/finder"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/vcenter"
	"github.com/vmware/govmomi/vim25/soap"
)

type result struct {
	Paths      []string               `json:"paths"`
	Filtered   vcenter.FilterResponse `json:"filtered"`
	Deployed   string                 `json:"deployed"`
	Taken      string                 `json:"taken"`
	Captured   *library.Item          `json:"captured"`
	Exported   map[string]int         `json:"exported"`
	Template   *library.Item          `json:"template"`
	Made       string                 `json:"made"`
	CheckedOut string                 `json:"checked_out"`
	Version    string                 `json:"version"`
	Updates    []string               `json:"updates"`
	States     []string               `json:"states"`
	Failed     string                 `json:"failed"`
	Left       []string               `json:"left"`
	Downloads  int                    `json:"downloads"`
	Published  string                 `json:"published"`
}

type user struct {
	client  *rest.Client
	library *library.Manager
	vcenter *vcenter.Manager
	found   *result
	folder  string
}

func (u *user) send(ctx context.Context, item string, names ...string) error {
	session, err := u.library.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	for _, name := range names {
		content, err := os.ReadFile(filepath.Join(u.folder, name))
		if err != nil {
			return err
		}
		update := library.UpdateFile{Name: name, SourceType: "PUSH", Size: int64(len(content))}
		added, err := u.library.AddLibraryItemFile(ctx, session, update)
		if err != nil {
			return fmt.Errorf("add %s: %w", name, err)
		}
		address, err := url.Parse(added.UploadEndpoint.URI)
		if err != nil {
			return err
		}
		upload := soap.DefaultUpload
		upload.ContentLength = int64(len(content))
		upload.Headers = map[string]string{"vmware-api-session-id": u.client.SessionID()}
		if err := u.client.Client.Upload(ctx, bytes.NewReader(content), address, &upload); err != nil {
			return fmt.Errorf("upload %s: %w", name, err)
		}
	}
	if err := u.library.CompleteLibraryItemUpdateSession(ctx, session); err != nil {
		return fmt.Errorf("complete: %w", err)
	}
	return u.library.WaitOnLibraryItemUpdateSession(ctx, session, time.Millisecond, nil)
}

func (u *user) export(ctx context.Context, item string) error {
	session, err := u.library.CreateLibraryItemDownloadSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return fmt.Errorf("create download session: %w", err)
	}
	files, err := u.library.ListLibraryItemDownloadSessionFile(ctx, session)
	if err != nil {
		return fmt.Errorf("list files: %w", err)
	}
	u.found.Exported = map[string]int{}
	for _, file := range files {
		if _, err := u.library.PrepareLibraryItemDownloadSessionFile(ctx, session, file.Name); err != nil {
			return fmt.Errorf("prepare %s: %w", file.Name, err)
		}
		info, err := u.library.GetLibraryItemDownloadSessionFile(ctx, session, file.Name)
		if err != nil || info.Status != "PREPARED" {
			return fmt.Errorf("get %s %v: %w", file.Name, info, err)
		}
		address, err := url.Parse(info.DownloadEndpoint.URI)
		if err != nil {
			return err
		}
		content, _, err := u.client.Client.Download(ctx, address, &soap.DefaultDownload)
		if err != nil {
			return fmt.Errorf("download %s: %w", file.Name, err)
		}
		size, err := io.Copy(io.Discard, content)
		if err != nil {
			return err
		}
		content.Close()
		u.found.Exported[file.Name] = int(size)
	}
	return nil
}

func (u *user) deploy(ctx context.Context, item, pool, folder string) error {
	target := vcenter.Target{ResourcePoolID: pool, FolderID: folder}
	var err error
	if u.found.Filtered, err = u.vcenter.FilterLibraryItem(ctx, item, vcenter.FilterRequest{Target: target}); err != nil {
		return fmt.Errorf("filter: %w", err)
	}
	spec := vcenter.DeploymentSpec{Name: "govmomi-tiny", AcceptAllEULA: true, StorageProvisioning: "thin"}
	made, err := u.vcenter.DeployLibraryItem(ctx, item, vcenter.Deploy{DeploymentSpec: spec, Target: target})
	if err != nil {
		return fmt.Errorf("deploy: %w", err)
	}
	u.found.Deployed = made.Value
	if _, err := u.vcenter.DeployLibraryItem(ctx, item, vcenter.Deploy{DeploymentSpec: spec, Target: target}); err != nil {
		u.found.Taken = err.Error()
	}
	return nil
}

func (u *user) clone(ctx context.Context, in, vm, pool string) error {
	captured, err := u.vcenter.CreateOVF(ctx, vcenter.OVF{
		Spec:   vcenter.CreateSpec{Name: "captured", Description: "by govmomi"},
		Source: vcenter.ResourceID{Value: vm},
		Target: vcenter.LibraryTarget{LibraryID: in},
	})
	if err != nil {
		return fmt.Errorf("create OVF: %w", err)
	}
	if u.found.Captured, err = u.library.GetLibraryItem(ctx, captured); err != nil {
		return fmt.Errorf("get captured: %w", err)
	}
	if err := u.export(ctx, captured); err != nil {
		return err
	}
	place := &vcenter.Placement{ResourcePool: pool}
	// As `govc library.clone` asks for it.
	policy := &vcenter.DiskStorage{StoragePolicy: &vcenter.StoragePolicy{Type: "USE_SOURCE_POLICY"}}
	template, err := u.vcenter.CreateTemplate(ctx, vcenter.Template{
		Name: "golden", Library: in, SourceVM: vm, Placement: place, DiskStorage: policy, VMHomeStorage: policy,
	})
	if err != nil {
		return fmt.Errorf("create template: %w", err)
	}
	if u.found.Template, err = u.library.GetLibraryItem(ctx, template); err != nil {
		return fmt.Errorf("get template: %w", err)
	}
	made, err := u.vcenter.DeployTemplateLibraryItem(ctx, template, vcenter.DeployTemplate{Name: "govmomi-golden", Placement: place})
	if err != nil {
		return fmt.Errorf("deploy template: %w", err)
	}
	u.found.Made = made.Value
	out, err := u.vcenter.CheckOut(ctx, template, &vcenter.CheckOut{Name: "govmomi-work", Placement: place})
	if err != nil {
		return fmt.Errorf("check out: %w", err)
	}
	u.found.CheckedOut = out.Value
	if u.found.Version, err = u.vcenter.CheckIn(ctx, template, out, &vcenter.CheckIn{Message: "by govmomi"}); err != nil {
		return fmt.Errorf("check in: %w", err)
	}
	return nil
}

func (u *user) sessions(ctx context.Context, item string) error {
	id, err := u.library.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	if u.found.Updates, err = u.library.ListLibraryItemUpdateSession(ctx); err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	downloads, err := u.library.ListLibraryItemDownloadSession(ctx)
	if err != nil {
		return fmt.Errorf("list download sessions: %w", err)
	}
	u.found.Downloads = len(downloads)
	for _, each := range downloads {
		if err := u.library.CancelLibraryItemDownloadSession(ctx, each); err != nil {
			return fmt.Errorf("cancel download session: %w", err)
		}
		if err := u.library.DeleteLibraryItemDownloadSession(ctx, each); err != nil {
			return fmt.Errorf("delete download session: %w", err)
		}
	}
	if err := u.library.FailLibraryItemUpdateSession(ctx, id); err != nil {
		return fmt.Errorf("fail session: %w", err)
	}
	failed, err := u.library.GetLibraryItemUpdateSession(ctx, id)
	if err != nil {
		return fmt.Errorf("get session: %w", err)
	}
	u.found.States = append(u.found.States, failed.State)
	if err := u.library.WaitOnLibraryItemUpdateSession(ctx, id, time.Millisecond, nil); err != nil {
		u.found.Failed = err.Error()
	}
	if id, err = u.library.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: item}); err != nil {
		return fmt.Errorf("second session: %w", err)
	}
	if err := u.library.CancelLibraryItemUpdateSession(ctx, id); err != nil {
		return fmt.Errorf("cancel session: %w", err)
	}
	canceled, err := u.library.GetLibraryItemUpdateSession(ctx, id)
	if err != nil {
		return fmt.Errorf("get session: %w", err)
	}
	u.found.States = append(u.found.States, canceled.State)
	ids, err := u.library.ListLibraryItemUpdateSession(ctx)
	if err != nil {
		return fmt.Errorf("list sessions: %w", err)
	}
	for _, each := range ids {
		if err := u.library.DeleteLibraryItemUpdateSession(ctx, each); err != nil {
			return fmt.Errorf("delete session: %w", err)
		}
	}
	u.found.Left, err = u.library.ListLibraryItemUpdateSession(ctx)
	return err
}

func run(arguments []string) (*result, error) {
	address, authorities, name, datastore, pool, place, vm, folder := arguments[0], arguments[1], arguments[2],
		arguments[3], arguments[4], arguments[5], arguments[6], arguments[7]
	ctx := context.Background()
	transport, err := connected(address, authorities)
	if err != nil {
		return nil, err
	}
	client, err := loggedIn(ctx, transport, name)
	if err != nil {
		return nil, err
	}
	u := &user{client, library.NewManager(client), vcenter.NewManager(client), &result{}, folder}
	in, err := u.library.CreateLibrary(ctx, library.Library{
		Name: "govmomi work", Type: "LOCAL", Storage: []library.StorageBackings{{DatastoreID: datastore, Type: "DATASTORE"}},
	})
	if err != nil {
		return nil, fmt.Errorf("create library: %w", err)
	}
	item, err := u.library.CreateLibraryItem(ctx, library.Item{Name: "tiny", Type: "ovf", LibraryID: in})
	if err != nil {
		return nil, fmt.Errorf("create item: %w", err)
	}
	if err := u.send(ctx, item, "tiny.ovf", "disk.vmdk"); err != nil {
		return nil, err
	}
	for _, pattern := range []string{"/govmomi work", "/govmomi*/t*", "/govmomi work/tiny/*.vmdk", "/none/x"} {
		results, err := finder.NewFinder(u.library).Find(ctx, pattern)
		if err != nil {
			return nil, fmt.Errorf("find %s: %w", pattern, err)
		}
		for _, each := range results {
			u.found.Paths = append(u.found.Paths, each.GetPath())
		}
	}
	sort.Strings(u.found.Paths)
	if err := u.deploy(ctx, item, pool, place); err != nil {
		return nil, err
	}
	if err := u.clone(ctx, in, vm, pool); err != nil {
		return nil, err
	}
	if err := u.sessions(ctx, item); err != nil {
		return nil, err
	}
	library, err := u.library.GetLibraryByID(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("get library: %w", err)
	}
	if err := u.library.PublishLibrary(ctx, library, nil); err != nil {
		u.found.Published = err.Error()
	}
	for _, id := range []string{u.found.Deployed, u.found.Made} {
		if err := client.Do(ctx, client.Resource("/vcenter/vm/"+id).Request(http.MethodDelete), nil); err != nil {
			return nil, fmt.Errorf("delete machine: %w", err)
		}
	}
	if err := u.library.DeleteLibrary(ctx, library); err != nil {
		return nil, fmt.Errorf("delete library: %w", err)
	}
	return u.found, client.Logout(ctx)
}

func main() {
	say(run(os.Args[1:]))
}
