//! Downloading a checkpoint: the only network access in the project, and only when asked for.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};
use sha2::{Digest, Sha256};

use super::Failure;
use super::files::part_path;

/// What to fetch and how to know it.
#[derive(Clone, Copy)]
pub struct Download<'a> {
    pub url: &'a str,
    pub path: &'a Path,
    pub bytes: u64,
    pub sha256: &'a str,
    /// Without a progress bar.
    pub quiet: bool,
}

/// Fetches a file unless it is there already. What an interrupted attempt left is continued.
pub fn fetch(download: &Download<'_>) -> Result<(), Failure> {
    if download.path.is_file() {
        let wrong = |e| format!("{e}; delete it and fetch again").into();
        return verify(download, download.path).map_err(wrong);
    }
    let part = part_path(download.path);
    let folder = download.path.parent().ok_or("the weights have no folder")?;
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let length = || fs::metadata(&part).map_or(0, |m| m.len());
    if length() < download.bytes {
        receive(download, &part, length())?;
    }
    let have = length();
    if have < download.bytes {
        let (url, bytes) = (download.url, download.bytes);
        let what = "run the same command to continue";
        return Err(format!("{url}: only {have} of {bytes} bytes came; {what}").into());
    }
    if let Err(error) = verify(download, &part) {
        // Continuing a wrong file can never make it right.
        fs::remove_file(&part).map_err(|e| format!("{}: {e}", part.display()))?;
        return Err(error);
    }
    fs::rename(&part, download.path).map_err(|e| format!("{}: {e}", download.path.display()).into())
}

fn receive(download: &Download<'_>, part: &Path, have: u64) -> Result<(), Failure> {
    let url = download.url;
    let mut request = ureq::get(url);
    if have > 0 {
        request = request.header("Range", format!("bytes={have}-"));
    }
    let mut response = request.call().map_err(|e| match e {
        ureq::Error::StatusCode(code) => format!("{url}: the server answered {code}"),
        other => format!("{url}: cannot be reached, is this machine offline? ({other})"),
    })?;
    // A server that ignores the range sends the file from its start.
    let continues = response.status().as_u16() == 206;
    let mut file = match continues {
        true => OpenOptions::new().append(true).open(part),
        false => File::create(part),
    }
    .map_err(|e| format!("{}: {e}", part.display()))?;

    let bar = match download.quiet {
        true => ProgressBar::hidden(),
        false => ProgressBar::new(download.bytes),
    };
    bar.set_style(ProgressStyle::with_template(
        "{bar:32} {bytes} of {total_bytes}, {eta} left",
    )?);
    bar.set_position(if continues { have } else { 0 });
    let mut body = response.body_mut().as_reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = body.read(&mut buffer).map_err(|e| {
            format!("{url}: the connection broke ({e}); run the same command to continue")
        })?;
        if read == 0 {
            break;
        }
        file.write_all(&buffer[..read])
            .map_err(|e| format!("{}: {e}", part.display()))?;
        bar.inc(read as u64);
    }
    bar.finish_and_clear();
    Ok(())
}

fn verify(download: &Download<'_>, path: &Path) -> Result<(), Failure> {
    let name = path.display();
    let mut file = File::open(path).map_err(|e| format!("{name}: {e}"))?;
    let mut hash = Sha256::new();
    std::io::copy(&mut file, &mut HashWriter(&mut hash)).map_err(|e| format!("{name}: {e}"))?;
    let digest: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    match digest == download.sha256 {
        true => Ok(()),
        false => Err(format!(
            "{name}: has SHA-256 {digest} instead of {}",
            download.sha256
        )
        .into()),
    }
}

struct HashWriter<'a>(&'a mut Sha256);

impl Write for HashWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::path::PathBuf;

    use super::*;

    const BODY: &[u8] = b"sixteen bytes ok";

    /// Serves `BODY` once, honouring a range; gives the URL and what was asked.
    fn serve_once(cut_to: usize) -> (String, std::thread::JoinHandle<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/model.pt", listener.local_addr().unwrap());
        let served = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let head: Vec<String> = lines
                .map(Result::unwrap)
                .take_while(|l| !l.is_empty())
                .collect();
            let range = head.iter().find(|l| l.to_lowercase().starts_with("range:"));
            let from = range.and_then(|r| r.split(['=', '-']).nth(1)?.parse::<usize>().ok());
            let (status, body) = match from {
                Some(from) => ("206 Partial Content", &BODY[from..]),
                None => ("200 OK", BODY),
            };
            let body = &body[..body.len().min(cut_to)];
            let head_out = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            stream.write_all(head_out.as_bytes()).unwrap();
            stream.write_all(body).unwrap();
            range.cloned().unwrap_or_default()
        });
        (url, served)
    }

    fn digest(bytes: &[u8]) -> String {
        Sha256::digest(bytes)
            .iter()
            .map(|b| format!("{b:02x}"))
            .collect()
    }

    fn scratch(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("oneslice-fetch-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder.join("model.pt")
    }

    #[test]
    fn an_interrupted_download_is_continued() {
        let (path, sha256) = (scratch("resume"), digest(BODY));
        let (url, _) = serve_once(6);
        let download = Download {
            url: &url,
            path: &path,
            bytes: 16,
            sha256: &sha256,
            quiet: true,
        };
        let error = fetch(&download).unwrap_err().to_string();
        assert!(error.contains("only 6 of 16 bytes"), "{error}");
        let (url, served) = serve_once(usize::MAX);
        fetch(&Download {
            url: &url,
            ..download
        })
        .unwrap();
        assert_eq!(served.join().unwrap().to_lowercase(), "range: bytes=6-");
        assert_eq!(fs::read(&path).unwrap(), BODY);
    }

    #[test]
    fn a_wrong_file_is_thrown_away() {
        let (path, sha256) = (scratch("wrong"), digest(b"something else"));
        let (url, _) = serve_once(usize::MAX);
        let error = fetch(&Download {
            url: &url,
            path: &path,
            bytes: 16,
            sha256: &sha256,
            quiet: true,
        });
        assert!(error.unwrap_err().to_string().contains("SHA-256"));
        assert!(!path.exists() && !part_path(&path).exists());
    }

    #[test]
    fn without_a_network_it_says_so() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/model.pt", listener.local_addr().unwrap());
        drop(listener); // nobody listens there any more
        let path = scratch("offline");
        let error = fetch(&Download {
            url: &url,
            path: &path,
            bytes: 16,
            sha256: "",
            quiet: true,
        });
        assert!(error.unwrap_err().to_string().contains("offline?"));
    }
}
