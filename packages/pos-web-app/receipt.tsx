import type { ReceiptDocument } from "@noren/api-contract";
import { barcode, dateTimeJa, Money, yen } from "@noren/web";

const methods: Record<string, string> = { cash: "現金", card: "カード", qr: "QR決済" };

/** A receipt as paper of 80 mm: everything that a 適格簡易請求書 must show, the same on screen and in print. */
export function Receipt({ receipt }: { receipt: ReceiptDocument }) {
  const { company, store } = receipt;
  return (
    <article class="receipt" aria-label={`レシート ${receipt.receiptNo}`}>
      <header>
        <h2>{company.name}</h2>
        <p>
          {store.name}
          <br />
          {store.address}
          <br />
          電話 {store.phone}
          {company.invoiceNo ? (
            <span>
              <br />
              登録番号 {company.invoiceNo}
            </span>
          ) : null}
        </p>
      </header>
      {receipt.state === "voided" ? <p class="receipt-void">取消済</p> : null}
      <p class="receipt-when">
        {dateTimeJa(receipt.soldAt)}
        <br />
        レジ {receipt.registerCode} 担当 {receipt.staffName}
      </p>
      <table>
        <caption class="visually-hidden">明細</caption>
        <tbody>
          {receipt.lines.map((line) => (
            <tr>
              <td>
                {line.name}
                {line.condition ? `(${line.condition})` : ""}
                {line.reduced ? "※" : ""}
                {line.qty > 1 || line.discountYen > 0 ? (
                  <small>
                    {yen(line.unitPriceYen)} × {line.qty}
                    {line.discountYen > 0 ? ` 値引 −${yen(line.discountYen)}` : ""}
                  </small>
                ) : null}
              </td>
              <td>
                <Money yen={line.amountYen} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <dl class="receipt-sums">
        <div class="receipt-total">
          <dt>合計</dt>
          <dd>
            <Money yen={receipt.totalYen} />
          </dd>
        </div>
        {receipt.taxes.map((tax) => (
          <div>
            <dt>
              {tax.ratePct}%対象
              <small>(内消費税 {yen(tax.taxYen)})</small>
            </dt>
            <dd>
              <Money yen={tax.grossYen} />
            </dd>
          </div>
        ))}
        {receipt.payments.map((payment) => (
          <div>
            <dt>{methods[payment.method] ?? payment.method}</dt>
            <dd>
              <Money yen={payment.tenderedYen ?? payment.amountYen} />
            </dd>
          </div>
        ))}
        <div>
          <dt>おつり</dt>
          <dd>
            <Money yen={receipt.changeYen} />
          </dd>
        </div>
      </dl>
      {receipt.lines.some((line) => line.reduced) ? (
        <p class="receipt-small">※印は軽減税率の対象です。</p>
      ) : null}
      {receipt.stampDuty ? <div class="receipt-stamp">収入印紙</div> : null}
      <footer>
        {barcode(receipt.receiptNo)}
        <p>{receipt.receiptNo}</p>
        <p>ありがとうございました。またのお越しをお待ちしております。</p>
      </footer>
    </article>
  );
}
