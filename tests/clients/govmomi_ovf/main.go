// Imports a package into a content library with govmomi's client as govc library.import does, deploys it as govc
// library.deploy does, captures the machine as govc library.clone -ovf does, fetches what was captured, and makes a
// template of it as govc library.clone does.
// Arguments: address, CA file, user, datastore, resource pool, descriptor, disk. The password is in PASSWORD. Prints a
// JSON object.
package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vapi/vcenter"
	"github.com/vmware/govmomi/vim25/soap"
)

type result struct {
	Filtered vcenter.FilterResponse `json:"filtered"`
	Machine  string                 `json:"machine"`
	Refused  string                 `json:"refused"`
	Captured []library.File         `json:"captured"`
	Template string                 `json:"template"`
}

func send(ctx context.Context, client *rest.Client, manager *library.Manager, item string, files ...string) error {
	session, err := manager.CreateLibraryItemUpdateSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return fmt.Errorf("create session: %w", err)
	}
	for _, file := range files {
		content, err := os.Open(file)
		if err != nil {
			return err
		}
		defer content.Close()
		info, err := content.Stat()
		if err != nil {
			return err
		}
		update := library.UpdateFile{Name: filepath.Base(file), SourceType: "PUSH", Size: info.Size()}
		added, err := manager.AddLibraryItemFile(ctx, session, update)
		if err != nil {
			return fmt.Errorf("add file: %w", err)
		}
		address, err := url.Parse(added.UploadEndpoint.URI)
		if err != nil {
			return err
		}
		upload := soap.DefaultUpload
		upload.ContentLength = info.Size()
		upload.Headers = map[string]string{"vmware-api-session-id": client.SessionID()}
		if err := client.Client.Upload(ctx, content, address, &upload); err != nil {
			return fmt.Errorf("upload: %w", err)
		}
	}
	if err := manager.CompleteLibraryItemUpdateSession(ctx, session); err != nil {
		return fmt.Errorf("complete: %w", err)
	}
	return manager.WaitOnLibraryItemUpdateSession(ctx, session, time.Millisecond, nil)
}

func fetch(ctx context.Context, client *rest.Client, manager *library.Manager, item, name, file string) error {
	session, err := manager.CreateLibraryItemDownloadSession(ctx, library.Session{LibraryItemID: item})
	if err != nil {
		return fmt.Errorf("create download session: %w", err)
	}
	if _, err := manager.PrepareLibraryItemDownloadSessionFile(ctx, session, name); err != nil {
		return fmt.Errorf("prepare: %w", err)
	}
	info, err := manager.GetLibraryItemDownloadSessionFile(ctx, session, name)
	if err != nil {
		return fmt.Errorf("get: %w", err)
	}
	address, err := url.Parse(info.DownloadEndpoint.URI)
	if err != nil {
		return err
	}
	download := soap.DefaultDownload
	download.Headers = map[string]string{"vmware-api-session-id": client.SessionID()}
	return client.Client.DownloadFile(ctx, file, address, &download)
}

func run(address, authorities, user, datastore, pool, descriptor, disk string) (*result, error) {
	ctx := context.Background()
	transport, err := connected(address, authorities)
	if err != nil {
		return nil, err
	}
	client, err := loggedIn(ctx, transport, user)
	if err != nil {
		return nil, err
	}
	found := &result{}
	manager, machines := library.NewManager(client), vcenter.NewManager(client)
	storage := []library.StorageBackings{{DatastoreID: datastore, Type: "DATASTORE"}}
	id, err := manager.CreateLibrary(ctx, library.Library{Name: "govmomi", Type: "LOCAL", Storage: storage})
	if err != nil {
		return nil, fmt.Errorf("create library: %w", err)
	}
	item, err := manager.CreateLibraryItem(ctx, library.Item{Name: "package", Type: "ovf", LibraryID: id})
	if err != nil {
		return nil, fmt.Errorf("create item: %w", err)
	}
	if err := send(ctx, client, manager, item, descriptor, disk); err != nil {
		return nil, err
	}
	place := vcenter.Target{ResourcePoolID: pool}
	if found.Filtered, err = machines.FilterLibraryItem(ctx, item, vcenter.FilterRequest{Target: place}); err != nil {
		return nil, fmt.Errorf("filter: %w", err)
	}
	spec := vcenter.Deploy{
		DeploymentSpec: vcenter.DeploymentSpec{
			Name: "govmomi", AcceptAllEULA: true, DefaultDatastoreID: datastore, StorageProvisioning: "thin",
			NetworkMappings: []vcenter.NetworkMapping{{Key: "", Value: "network-0"}},
			AdditionalParams: []vcenter.AdditionalParams{
				{Class: vcenter.ClassDeploymentOptionParams, Type: vcenter.TypeDeploymentOptionParams},
				{Class: vcenter.ClassPropertyParams, Type: vcenter.TypePropertyParams},
			},
		},
		Target: place,
	}
	made, err := machines.DeployLibraryItem(ctx, item, spec)
	if err != nil {
		return nil, fmt.Errorf("deploy: %w", err)
	}
	found.Machine = made.Value
	if _, err := machines.DeployLibraryItem(ctx, item, spec); err != nil {
		found.Refused = err.Error()
	}
	if err := manager.DeleteLibraryItem(ctx, &library.Item{ID: item}); err != nil {
		return nil, fmt.Errorf("delete item: %w", err)
	}
	captured, err := machines.CreateOVF(ctx, vcenter.OVF{
		Spec:   vcenter.CreateSpec{Name: "captured"},
		Source: vcenter.ResourceID{Value: made.Value},
		Target: vcenter.LibraryTarget{LibraryID: id},
	})
	if err != nil {
		return nil, fmt.Errorf("capture: %w", err)
	}
	if found.Captured, err = manager.ListLibraryItemFiles(ctx, captured); err != nil {
		return nil, fmt.Errorf("files: %w", err)
	}
	for _, file := range found.Captured {
		if strings.HasSuffix(file.Name, ".vmdk") {
			if err := fetch(ctx, client, manager, captured, file.Name, disk+".got"); err != nil {
				return nil, err
			}
		}
	}
	policy := &vcenter.StoragePolicy{Type: "USE_SOURCE_POLICY"}
	home := &vcenter.DiskStorage{Datastore: datastore, StoragePolicy: policy}
	template := vcenter.Template{
		Name: "template", Library: id, SourceVM: made.Value, DiskStorage: home, VMHomeStorage: home,
		Placement: &vcenter.Placement{ResourcePool: pool},
	}
	if found.Template, err = machines.CreateTemplate(ctx, template); err != nil {
		return nil, fmt.Errorf("template: %w", err)
	}
	return found, client.Logout(ctx)
}

func main() {
	arguments := os.Args
	say(run(
		arguments[1], arguments[2], arguments[3], arguments[4], arguments[5], arguments[6], arguments[7],
	))
}
