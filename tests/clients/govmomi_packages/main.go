// Imports OVF packages with govmomi's client: file by file as govc library.import does (it takes archives apart itself,
// and reads the manifest), an archive as it is, one that lacks a disk, and fails a session.
// Arguments: address, CA file, user, datastore, archive. The password is in PASSWORD. Prints a JSON object.
package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"time"

	"github.com/vmware/govmomi/ovf"
	"github.com/vmware/govmomi/vapi/library"
	"github.com/vmware/govmomi/vapi/rest"
	"github.com/vmware/govmomi/vim25/soap"
)

type result struct {
	ByFile  []library.File   `json:"by_file"`
	Archive []library.File   `json:"archive"`
	Awaited string           `json:"awaited"`
	Missing string           `json:"missing"`
	Failed  *library.Session `json:"failed"`
	Altered string           `json:"altered"`
	Error   *library.Session `json:"error"`
}

type importer struct {
	ctx     context.Context
	client  *rest.Client
	manager *library.Manager
	library string
}

func members(archive []byte) (map[string][]byte, error) {
	found := map[string][]byte{}
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
		if found[header.Name], err = io.ReadAll(reader); err != nil {
			return nil, err
		}
	}
}

func (i *importer) begin(name string) (string, string, error) {
	item, err := i.manager.CreateLibraryItem(i.ctx, library.Item{Name: name, Type: "ovf", LibraryID: i.library})
	if err != nil {
		return "", "", fmt.Errorf("create item: %w", err)
	}
	session, err := i.manager.CreateLibraryItemUpdateSession(i.ctx, library.Session{LibraryItemID: item})
	return item, session, err
}

func (i *importer) send(session, name string, content []byte, checksum *library.Checksum) error {
	file := library.UpdateFile{Name: name, SourceType: "PUSH", Size: int64(len(content)), Checksum: checksum}
	added, err := i.manager.AddLibraryItemFile(i.ctx, session, file)
	if err != nil {
		return fmt.Errorf("add %s: %w", name, err)
	}
	address, err := url.Parse(added.UploadEndpoint.URI)
	if err != nil {
		return err
	}
	upload := soap.DefaultUpload
	upload.ContentLength = int64(len(content))
	upload.Headers = map[string]string{"vmware-api-session-id": i.client.SessionID()}
	return i.client.Client.Upload(i.ctx, bytes.NewReader(content), address, &upload)
}

func (i *importer) complete(session string) error {
	if err := i.manager.CompleteLibraryItemUpdateSession(i.ctx, session); err != nil {
		return err
	}
	return i.manager.WaitOnLibraryItemUpdateSession(i.ctx, session, time.Millisecond, nil)
}

func (i *importer) byFile(files map[string][]byte) ([]library.File, error) {
	item, session, err := i.begin("by file")
	if err != nil {
		return nil, err
	}
	checksums, err := library.ReadManifest(bytes.NewReader(files["tiny.mf"]))
	if err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if err := i.send(session, "tiny.ovf", files["tiny.ovf"], checksums["tiny.ovf"]); err != nil {
		return nil, err
	}
	envelope, err := ovf.Unmarshal(bytes.NewReader(files["tiny.ovf"]))
	if err != nil {
		return nil, err
	}
	for _, file := range envelope.References {
		if err := i.send(session, path.Base(file.Href), files[file.Href], checksums[file.Href]); err != nil {
			return nil, err
		}
	}
	if err := i.complete(session); err != nil {
		return nil, fmt.Errorf("complete: %w", err)
	}
	return i.manager.ListLibraryItemFiles(i.ctx, item)
}

func (i *importer) whole(archive []byte) ([]library.File, error) {
	item, session, err := i.begin("archive")
	if err != nil {
		return nil, err
	}
	if err := i.send(session, "tiny.ova", archive, nil); err != nil {
		return nil, err
	}
	if err := i.complete(session); err != nil {
		return nil, fmt.Errorf("complete: %w", err)
	}
	return i.manager.ListLibraryItemFiles(i.ctx, item)
}

func (i *importer) lacking(found *result, descriptor []byte) error {
	_, session, err := i.begin("lacking")
	if err != nil {
		return err
	}
	if err := i.send(session, "tiny.ovf", descriptor, nil); err != nil {
		return err
	}
	file, err := i.manager.GetLibraryItemUpdateSessionFile(i.ctx, session, "tiny.vmdk")
	if err != nil {
		return fmt.Errorf("get file: %w", err)
	}
	found.Awaited = file.Status
	if err := i.manager.CompleteLibraryItemUpdateSession(i.ctx, session); err != nil {
		found.Missing = err.Error()
	}
	if err := i.manager.FailLibraryItemUpdateSession(i.ctx, session); err != nil {
		return fmt.Errorf("fail: %w", err)
	}
	found.Failed, err = i.manager.GetLibraryItemUpdateSession(i.ctx, session)
	return err
}

func (i *importer) altered(found *result, archive []byte) error {
	_, session, err := i.begin("altered")
	if err != nil {
		return err
	}
	other := bytes.Replace(archive, []byte("disk"), []byte("dusk"), 1)
	if err := i.send(session, "tiny.ova", other, nil); err != nil {
		found.Altered = err.Error()
	}
	found.Error, err = i.manager.GetLibraryItemUpdateSession(i.ctx, session)
	return err
}

func run(address, authorities, user, datastore, file string) (*result, error) {
	ctx := context.Background()
	transport, err := connected(address, authorities)
	if err != nil {
		return nil, err
	}
	client, err := loggedIn(ctx, transport, user)
	if err != nil {
		return nil, err
	}
	archive, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	files, err := members(archive)
	if err != nil {
		return nil, err
	}
	i := &importer{ctx: ctx, client: client, manager: library.NewManager(client)}
	i.library, err = i.manager.CreateLibrary(ctx, library.Library{
		Name: "packages", Type: "LOCAL", Storage: []library.StorageBackings{{DatastoreID: datastore, Type: "DATASTORE"}},
	})
	if err != nil {
		return nil, fmt.Errorf("create library: %w", err)
	}
	found := &result{}
	if found.ByFile, err = i.byFile(files); err != nil {
		return nil, err
	}
	if found.Archive, err = i.whole(archive); err != nil {
		return nil, err
	}
	if err := i.lacking(found, files["tiny.ovf"]); err != nil {
		return nil, err
	}
	if err := i.altered(found, archive); err != nil {
		return nil, err
	}
	return found, client.Logout(ctx)
}

func main() {
	say(run(os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]))
}
